use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::pin::Pin;
use std::process::ExitCode;
use std::{env, fmt};

use narrows::serve::Server;
use narrows::serve::settings::Loaded;
use narrows::{Worker, WorkerError};
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

use super::error::Chain;
use super::{Opened, Project, ProjectError, Said};

type Running = Pin<Box<dyn Future<Output = Result<(), WorkerError>>>>;

impl Project {
    /// Does what the command line asks for: to serve, unless it says otherwise. What goes wrong is said with what to do
    /// about it; the exit code is 1 then, and 2 where the command line or a setting is wrong.
    ///
    /// An allocator, if any, is the program's own: `#[global_allocator]` stands in its `main.rs`.
    pub fn run(self) -> ExitCode {
        self.run_with(env::args_os().skip(1))
    }

    /// [`run`](Self::run) with another command line, which is without the program's name.
    pub fn run_with(self, args: impl IntoIterator<Item = impl Into<OsString>>) -> ExitCode {
        let name = self.name;
        let args = args.into_iter().map(Into::into);
        let said = match Self::read(&self.program(), args, env::vars_os()) {
            Ok(Said::Print(text)) => {
                print!("{text}");
                return ExitCode::SUCCESS;
            }
            Ok(said) => said,
            Err(error) => return failed(name, &error),
        };
        let Said::Run { command, rest, loaded } = said else { return ExitCode::SUCCESS };
        let done = start_log(&loaded).and_then(|()| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(command.run(self, rest, *loaded))
        });
        done.unwrap_or_else(|error| failed(name, &error))
    }
}

impl Opened {
    /// Serves until SIGTERM or SIGINT, then drains, and ends the workers after the server.
    ///
    /// # Errors
    /// When an address cannot be listened at, or a worker ends with an error.
    pub async fn serve(self) -> Result<(), ProjectError> {
        let Self { name, site, router, workers, tasks } = self;
        let server = Server::new(router, site.channels(), &site.settings().settings).listen().await?;
        let addresses = server.addresses().to_vec();
        // Before anybody is told of the server: from here on a signal ends it in the orderly way.
        let reload = site.0.reload.clone();
        let serving = server.run_or_until(async move {
            match reload {
                Some(reload) => reload.ended().await,
                None => std::future::pending().await,
            }
        });
        let running = workers.into_iter().fold(
            Box::pin(async move {
                serving.await;
                Ok(())
            }) as Running,
            beside,
        );
        let mut beside = JoinSet::new();
        for make in tasks {
            beside.spawn(make(site.clone()));
        }
        // `narrows run`, whose sockets these are, has said it, and says it once.
        let is_said = site.0.reload.is_some() && site.settings().settings.inherit;
        if !is_said {
            for address in addresses {
                println!("{name} is at {address}");
            }
            println!("stop it with Ctrl-C");
        }
        running.await?;
        beside.shutdown().await;
        Ok(())
    }

    /// Runs the workers and nothing else, until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// When there is none, or one ends with an error.
    pub async fn work(self) -> Result<(), ProjectError> {
        let Self { name, site, mut workers, .. } = self;
        let Some(first) = workers.pop() else { return Err(ProjectError::NoWorkers) };
        if site.settings().text("layer") == "memory" {
            tracing::warn!("the channel layer is in memory, so these workers hear of no other process");
        }
        let working = first.run();
        let running =
            workers.into_iter().fold(Box::pin(async move { working.await.map(drop) }) as Running, beside);
        println!("the workers of {name} are at work");
        println!("stop them with Ctrl-C");
        Ok(running.await?)
    }
}

/// A worker beside all this, which ends after it and so handles what it sent last.
fn beside(running: Running, worker: Worker) -> Running {
    Box::pin(async move {
        let mut ended = Ok(());
        let report = worker.run_until(async { ended = running.await }).await?;
        tracing::debug!(handled = report.handled, failed = report.failed, "a worker has ended");
        ended
    })
}

fn start_log(loaded: &Loaded) -> Result<(), ProjectError> {
    let filter = EnvFilter::try_new(&loaded.settings.log);
    let filter = filter.map_err(|error| ProjectError::Log(Box::new(error)))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    if let Err(error) = subscriber.with_ansi(io::stderr().is_terminal()).try_init() {
        // The program has a log of its own.
        tracing::debug!(error, "the log is not started twice");
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(())
}

fn failed(name: &str, error: &ProjectError) -> ExitCode {
    eprintln!("{name}: {}", Chain(error));
    if let Some(advice) = error.advice() {
        eprintln!("{advice}");
    }
    ExitCode::from(error.exit_code())
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("name", &self.name).field("site", &self.site).finish_non_exhaustive()
    }
}
