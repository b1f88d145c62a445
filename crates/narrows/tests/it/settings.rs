use std::time::Duration;

use narrows::serve::settings::{
    Command, Loaded, Program, Setting, Settings, SettingsError, Source, markdown,
};

const EMPTY: [(&str, &str); 0] = [];

fn program() -> Program {
    Program::new("chat", "1.2.3").setting(Setting::text("redis", "", "Address of a Redis server").secret())
}

fn try_load(args: &[&str], environment: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
    match Settings::load(&program(), args, environment.iter().copied())? {
        Command::Run(loaded) => Ok(*loaded),
        Command::Print(text) => panic!("did not expect a text: {text}"),
    }
}

fn load(args: &[&str], environment: &[(&str, &str)]) -> Loaded {
    try_load(args, environment).unwrap()
}

fn error(args: &[&str], environment: &[(&str, &str)]) -> String {
    try_load(args, environment).unwrap_err().to_string()
}

fn printed(args: &[&str], environment: &[(&str, &str)]) -> String {
    match Settings::load(&program(), args, environment.iter().copied()).unwrap() {
        Command::Print(text) => text,
        Command::Run(_) => panic!("expected a text"),
    }
}

/// A settings file that is deleted at the end of its test.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("narrows-{}-{name}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

#[test]
fn without_any_source_the_defaults_hold() {
    let loaded = load(&[], &EMPTY);
    assert_eq!(loaded.settings, Settings::default());
    assert_eq!(loaded.source("bind"), Some(&Source::Default));
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default() {
    let file = File::new("order", "shards = 2\nmax_headers = 20\nmax_groups = 200\n");
    let environment =
        [("NARROWS_SHARDS", "3"), ("NARROWS_MAX_HEADERS", "30"), ("NARROWS_CONFIG", file.path())];
    let loaded = load(&["--shards", "4"], &environment);
    assert_eq!(loaded.settings.shards, 4);
    assert_eq!(loaded.settings.max_headers, 30);
    assert_eq!(loaded.settings.limits().max_groups, 200);
    assert_eq!(loaded.settings.outbox_messages, 4096);
    assert_eq!(loaded.source("max_groups").unwrap().to_string(), format!("{}:3", file.path()));
}

#[test]
fn the_config_flag_wins_over_the_config_variable() {
    let (a, b) = (File::new("a", "shards = 1"), File::new("b", "shards = 2"));
    let loaded = load(&["--config", a.path()], &[("NARROWS_CONFIG", b.path())]);
    assert_eq!(loaded.settings.shards, 1);
}

#[test]
fn a_repeated_list_flag_adds_up_and_replaces_what_the_environment_says() {
    let loaded = load(&["--bind", "a:1", "--bind=[::1]:2,c:3"], &[("NARROWS_BIND", "z:9")]);
    assert_eq!(loaded.settings.bind, ["a:1", "[::1]:2", "c:3"]);
}

#[test]
fn a_list_is_commas_in_the_environment_and_an_array_in_the_file() {
    let file = File::new("list", r#"origins = ["https://a.example", "https://b.example"]"#);
    let loaded = load(&["--config", file.path()], &[("NARROWS_UNIX", "/run/a.sock, /run/b.sock")]);
    assert_eq!(loaded.settings.origins, ["https://a.example", "https://b.example"]);
    assert_eq!(loaded.settings.unix, ["/run/a.sock", "/run/b.sock"].map(std::path::PathBuf::from));
}

#[test]
fn an_empty_item_of_a_list_counts_for_nothing() {
    let file = File::new("empty", r#"secret_key_fallbacks = ["", " ", "old"]"#);
    for args in [["--config", file.path()], ["--secret-key-fallbacks", ", ,old"]] {
        assert_eq!(*load(&args, &EMPTY).settings.secret_key_fallbacks, ["old"]);
    }
}

#[test]
fn secrets_of_before_without_one_of_today_make_no_node() {
    let mut settings = Settings::default();
    settings.secret_key_fallbacks.push("old".to_owned());
    let error = narrows::Channels::builder().settings(&settings).unwrap_err();
    assert!(error.to_string().starts_with("secret_key_fallbacks: "), "{error}");
}

#[test]
fn the_default_address_gives_way_to_a_unix_socket_or_an_inherited_one() {
    assert!(load(&["--unix", "/run/a.sock"], &EMPTY).settings.bind.is_empty());
    assert!(load(&["--inherit"], &EMPTY).settings.bind.is_empty());
    let both = load(&["--inherit", "--bind=127.0.0.1:80"], &EMPTY);
    assert_eq!(both.settings.bind, ["127.0.0.1:80"]);
    assert_eq!(load(&["--inherit=false"], &EMPTY).settings.bind, ["127.0.0.1:8000"]);
}

#[test]
fn durations_and_sizes_are_read_with_their_units_from_every_source() {
    let file =
        File::new("units", "max_message_bytes = 65536\nidle_timeout = 0\nmax_frame_bytes = \"64KiB\"\n");
    let environment = [("NARROWS_PING_INTERVAL", "500ms"), ("NARROWS_OUTBOX_BYTES", "2MB")];
    let limits = load(&["--config", file.path(), "--ping-timeout=2m"], &environment);
    assert_eq!(limits.settings.outbox_bytes, 2_000_000);
    let limits = limits.settings.limits();
    assert_eq!((limits.max_message_bytes, limits.max_frame_bytes), (65_536, 65_536));
    assert_eq!(limits.idle_timeout, Duration::ZERO);
    assert_eq!(limits.ping_interval, Duration::from_millis(500));
    assert_eq!(limits.ping_timeout, Duration::from_secs(120));
    assert_eq!(load(&["--ping-interval", "off"], &EMPTY).settings.limits().ping_interval, Duration::ZERO);
}

#[test]
fn a_wrong_value_is_named_with_its_setting_its_place_and_what_would_be_right() {
    assert_eq!(
        error(&[], &[("NARROWS_PING_INTERVAL", "abc")]),
        "ping_interval: \"abc\" from the environment variable NARROWS_PING_INTERVAL is not a duration; \
         use for example 500ms, 20s, 2m, or off"
    );
    assert_eq!(
        error(&["--max-header-bytes=4KiB"], &EMPTY),
        "max_header_bytes: \"4KiB\" from the flag --max-header-bytes is too small: the least that works is 8KiB"
    );
    assert_eq!(
        error(&["--bind", "8000"], &EMPTY),
        "bind: \"8000\" from the flag --bind has \"8000\", which is not host:port; \
         use for example 127.0.0.1:8000, [::1]:8000 or localhost:8000"
    );
    assert_eq!(
        error(&["--missing-origin", "yes"], &EMPTY),
        "missing_origin: \"yes\" from the flag --missing-origin is not among its choices; \
         use allow, no-cookies or refuse"
    );
}

#[test]
fn a_wrong_value_in_the_file_is_named_with_its_line() {
    let file = File::new("line", "# ours\nshards = 1\n\nping_interval = 20\n");
    assert_eq!(
        error(&["--config", file.path()], &EMPTY),
        format!(
            "ping_interval: 20 from {}:4 is not a duration; use for example 500ms, 20s, 2m, or off",
            file.path()
        )
    );
}

#[test]
fn an_unknown_key_or_flag_is_an_error_that_offers_the_nearest_name() {
    let file = File::new("unknown", "shards = 1\nping_intervall = \"20s\"\n");
    assert_eq!(
        error(&["--config", file.path()], &EMPTY),
        format!("ping_intervall in {}:2 is not a setting; did you mean ping_interval?", file.path())
    );
    assert_eq!(
        error(&["--ping-timeuot=1s"], &EMPTY),
        "chat has no flag --ping-timeuot; did you mean --ping-timeout?"
    );
    assert_eq!(error(&["--xyzzy"], &EMPTY), "chat has no flag --xyzzy; --help lists them all");
    assert_eq!(
        error(&["8000"], &EMPTY),
        "chat takes no argument \"8000\"; its settings are written --name value"
    );
}

#[test]
fn a_flag_without_its_value_says_what_it_accepts() {
    assert_eq!(
        error(&["--idle-timeout"], &EMPTY),
        "--idle-timeout needs a value: use for example 500ms, 20s, 2m, or off"
    );
}

#[test]
fn a_file_that_is_missing_or_not_toml_is_named() {
    let missing = error(&["--config", "/no/such/file.toml"], &EMPTY);
    assert!(
        missing.starts_with("cannot read the settings file /no/such/file.toml (from the flag --config): "),
        "{missing}"
    );
    let file = File::new("broken", "shards = 1\nbind = [\n");
    let broken = error(&["--config", file.path()], &EMPTY);
    assert!(
        broken.contains(":2 is not valid TOML: ") || broken.contains(":3 is not valid TOML: "),
        "{broken}"
    );
}

#[test]
fn settings_that_do_not_go_together_are_refused_with_both_their_places() {
    assert_eq!(
        error(&["--max-frame-bytes=2MiB"], &[("NARROWS_MAX_MESSAGE_BYTES", "1MiB")]),
        "max_frame_bytes (the flag --max-frame-bytes) and max_message_bytes \
         (the environment variable NARROWS_MAX_MESSAGE_BYTES) do not go together: \
         a frame cannot be larger than its message; lower the first or raise the second"
    );
    let pings = error(&["--ping-timeout=off"], &EMPTY);
    assert!(
        pings.starts_with("ping_timeout (the flag --ping-timeout) and ping_interval (the default)"),
        "{pings}"
    );
    assert!(error(&["--bind="], &EMPTY).ends_with("there is nothing to listen on"));
}

#[test]
fn a_default_follows_the_setting_that_bounds_it() {
    let settings = load(&["--max-message-bytes=64KiB", "--drain-timeout=2s"], &EMPTY).settings;
    assert_eq!(settings.limits().max_frame_bytes, 65_536);
    assert_eq!(settings.drain_window, Duration::from_secs(2));
    load(&["--ping-interval=off", "--ping-timeout=off"], &EMPTY);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    assert_eq!(load(&[], &[("NARROWS_BIND", ""), ("NARROWS_CONFIG", "")]).settings, Settings::default());
}

#[test]
fn a_variable_that_is_nearly_a_setting_is_warned_of_and_others_are_left_alone() {
    let loaded = load(&[], &[("NARROWS_PING_INTERVL", "1s"), ("NARROWS_BROWSER", "require"), ("HOME", "/")]);
    assert_eq!(
        loaded.warnings,
        ["the environment variable NARROWS_PING_INTERVL is no setting; did you mean NARROWS_PING_INTERVAL?"]
    );
}

#[test]
fn a_program_reads_the_settings_that_it_added() {
    let program = Program::new("chat", "1")
        .setting(Setting::duration("nap", Duration::from_secs(1), "How long"))
        .setting(Setting::bytes("page", 4096, "How large"))
        .setting(Setting::switch("loud", "Whether"))
        .setting(Setting::choice("colour", &["red", "blue"], "red", "Which"))
        .setting(Setting::list("names", "Who"));
    let args = ["--nap=2s", "--loud", "--names=a,b", "--colour", "blue"];
    let Command::Run(loaded) = Settings::load(&program, args, [("NARROWS_PAGE", "8KiB")]).unwrap() else {
        panic!("expected to run");
    };
    assert_eq!(loaded.duration("nap"), Duration::from_secs(2));
    assert_eq!(loaded.count("page"), 8192);
    assert!(loaded.switch("loud"));
    assert_eq!(loaded.text("colour"), "blue");
    assert_eq!(loaded.list("names"), ["a", "b"]);
}

#[test]
fn a_setting_may_have_a_variable_beside_its_own_which_wins() {
    let program = || {
        Program::new("chat", "1").setting(Setting::text("database_url", "", "Where").variable("DATABASE_URL"))
    };
    let load = |environment: &[(&str, &str)]| {
        let Command::Run(loaded) = Settings::load(&program(), [""; 0], environment.iter().copied()).unwrap()
        else {
            panic!("expected to run");
        };
        (loaded.text("database_url").to_owned(), loaded.source("database_url").unwrap().to_string())
    };
    let bare = ("DATABASE_URL", "sqlite://bare");
    let bare_only = load(&[bare, ("DATABASE_URL_OLD", "x")]);
    assert_eq!(bare_only, ("sqlite://bare".into(), "the environment variable DATABASE_URL".into()));
    assert_eq!(load(&[bare, ("NARROWS_DATABASE_URL", "sqlite://own")]).0, "sqlite://own");
    assert_eq!(load(&[("DATABASE_URL", "")]), (String::new(), "the default".into()));
    let Command::Print(help) = Settings::load(&program(), ["--help"], [bare]).unwrap() else {
        panic!("no help")
    };
    assert!(help.contains("--database-url TEXT  [NARROWS_DATABASE_URL, DATABASE_URL]"), "{help}");
}

#[test]
#[should_panic(expected = "there is a setting bind already")]
fn a_program_cannot_add_a_setting_that_there_is_already() {
    let _ = Program::new("chat", "1").setting(Setting::text("bind", "", ""));
}

#[test]
fn a_secret_is_not_repeated_in_the_printed_configuration() {
    let text = printed(&["--redis=redis://:hunter2@localhost", "--print-config"], &EMPTY);
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains("# redis is set, but secret"), "{text}");
}

#[test]
fn the_help_names_every_setting_with_its_variable_and_default() {
    let help = printed(&["--help", "--shards=nonsense"], &EMPTY);
    assert!(help.starts_with("chat 1.2.3\n"), "{help}");
    assert!(help.contains("  --ping-interval TIME  [NARROWS_PING_INTERVAL] [default: 25s]\n"), "{help}");
    assert!(help.contains("  --unix PATH,…  [NARROWS_UNIX] [default: none]\n"), "{help}");
    assert!(help.contains("  --redis TEXT  [NARROWS_REDIS]"), "{help}");
    assert_eq!(printed(&["--version"], &EMPTY), "chat 1.2.3\n");
}

#[test]
fn the_printed_configuration_says_where_each_value_comes_from_and_is_read_back() {
    let environment = [("NARROWS_ORIGINS", "https://a.example"), ("NARROWS_IDLE_TIMEOUT", "90s")];
    let text = printed(&["--print-config", "--unix=/run/a.sock"], &environment);
    assert!(
        text.lines()
            .any(|line| line.starts_with("unix = [\"/run/a.sock\"]") && line.ends_with("# the flag --unix"))
    );
    let file = File::new("printed", &text);
    let (again, direct) =
        (load(&["--config", file.path()], &EMPTY), load(&["--unix=/run/a.sock"], &environment));
    assert_eq!(again.settings, direct.settings);
}

#[test]
fn every_limit_is_a_setting() {
    let limits = format!("{:?}", narrows::Limits::default());
    let inner = limits.trim_start_matches("Limits {").trim_end_matches('}');
    for field in inner.split(", ") {
        let (name, _) = field.trim().split_once(':').unwrap();
        assert!(markdown().contains(&format!("| `{name}` |")), "{name} is no setting");
    }
}

#[test]
fn the_documentation_shows_the_table_that_the_code_has() {
    const START: &str = "<!-- the table: written by the test that compares it -->\n";
    const END: &str = "<!-- the table ends -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settings.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(START).expect("the page marks the table's start");
    let (table, after) = rest.split_once(END).expect("the page marks the table's end");
    if std::env::var_os("NARROWS_WRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{START}\n{}\n{END}{after}", markdown())).unwrap();
        return;
    }
    assert_eq!(table.trim(), markdown().trim(), "run this test with NARROWS_WRITE_DOCS=1 to renew the page");
}

/// What a program with commands has besides.
fn with_commands(file: &std::path::Path) -> Program {
    program()
        .command("migrate [APP]", "Apply what is missing")
        .setting(Setting::switch("tidy", "Tidy up").on())
        .file(file)
}

#[test]
fn a_file_is_read_where_no_other_is_named_and_need_not_be_there() {
    let (usual, named) = (File::new("usual", "shards = 3"), File::new("named", "shards = 4"));
    let load = |file: &std::path::Path, args: &[&str]| match Settings::load(&with_commands(file), args, EMPTY)
    {
        Ok(Command::Run(loaded)) => loaded.settings.shards,
        other => panic!("{other:?}"),
    };
    assert_eq!(load(&usual.0, &[]), 3);
    assert_eq!(load(&usual.0, &["--config", named.0.to_str().unwrap()]), 4);
    assert_eq!(load(std::path::Path::new("/nowhere/at/all.toml"), &[]), 0);
    let unknown = Settings::load(&with_commands(&usual.0.join("settings.toml")), [""; 0], EMPTY);
    assert!(matches!(unknown, Err(SettingsError::ReadFile { .. })), "{unknown:?}");
}

#[test]
fn a_switch_that_is_on_is_switched_off() {
    let load = |args: &[&str]| match Settings::load(&with_commands("".as_ref()), args, EMPTY).unwrap() {
        Command::Run(loaded) => loaded.switch("tidy"),
        Command::Print(text) => panic!("{text}"),
    };
    assert!(load(&[]) && !load(&["--tidy=false"]));
}

#[test]
fn the_help_lists_the_commands_and_the_usual_file() {
    let help = match Settings::load(&with_commands("site.toml".as_ref()), ["--help"], EMPTY).unwrap() {
        Command::Print(help) => help,
        Command::Run(_) => panic!("expected a text"),
    };
    for text in
        ["chat [COMMAND] [--NAME VALUE]", "\nCommands\n  migrate [APP]  Apply", "[default: site.toml]"]
    {
        assert!(help.contains(text), "no {text:?} in\n{help}");
    }
}

#[test]
fn settings_are_told_from_what_a_command_is_given() {
    let split = |args: &[&str]| {
        let (settings, others) = with_commands("".as_ref()).split(args.iter().map(Into::into));
        [settings, others].map(|args| args.join(" ".as_ref()).into_string().unwrap())
    };
    let args = ["app", "--redis", "x", "--plan", "--tidy", "more", "--config=f", "--to=y", "-h", "--bind"];
    assert_eq!(split(&args), ["--redis x --tidy --config=f -h --bind", "app --plan more --to=y"]);
    assert_eq!(split(&[]), ["", ""]);
}
