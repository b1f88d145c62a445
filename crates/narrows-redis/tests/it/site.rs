use std::time::Duration;

use narrows_core::{Channel, Group, PayloadFormat, Topic, TopicKind};
use narrows_redis::{Capacities, Kind, RedisLayer, RedisOptions};
use rig::{Layer, LayerOptions, Python, Redis};

use crate::node::Node;

/// How long to wait for a message that must come. Python's own calls have a little more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// More than any test has on its way, for those that are not about capacity.
const ROOM: u32 = 100_000;

/// How all processes of a site have their layers set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    pub(crate) format: PayloadFormat,
    pub(crate) encrypted: bool,
    pub(crate) hosts: usize,
}

impl Setup {
    pub(crate) const PUBSUB: Self =
        Self { kind: Kind::PubSub, format: PayloadFormat::MsgPack, encrypted: false, hosts: 1 };
    pub(crate) const CORE: Self = Self { kind: Kind::Core, ..Self::PUBSUB };
}

/// Redis servers, and a Python process, from which nodes and Django processes of one site are made.
pub(crate) struct Site {
    pub(crate) setup: Setup,
    pub(crate) servers: Vec<Redis>,
    pub(crate) python: Python,
}

impl Site {
    /// `None` where the programs are missing.
    pub(crate) fn start(setup: Setup) -> Option<Self> {
        let python = Python::start()?;
        let servers = (0..setup.hosts).map(|_| Redis::start()).collect::<Option<_>>()?;
        Some(Self { setup, servers, python })
    }

    /// The server of a site that has only one.
    pub(crate) fn redis(&self) -> &Redis {
        &self.servers[0]
    }

    pub(crate) fn options(&self) -> RedisOptions {
        let options = RedisOptions::several(self.urls().map(|url| url.parse().unwrap()));
        let options = options.format(self.setup.format).capacities(Capacities::new(ROOM as usize));
        // Without optimisation a mebibyte is not encrypted within the default on a busy machine.
        let options = options.answer_timeout(Duration::from_secs(10));
        if self.setup.encrypted { options.symmetric_encryption_keys(["secret", "older"]) } else { options }
    }

    pub(crate) fn node(&self) -> Node {
        self.node_with(self.options())
    }

    pub(crate) fn node_with(&self, options: RedisOptions) -> Node {
        Node::start(RedisLayer::new(self.setup.kind, options).unwrap())
    }

    pub(crate) fn django_options(&self) -> LayerOptions {
        let options = match self.setup.kind {
            Kind::PubSub => LayerOptions::pubsub(self.urls()),
            Kind::Core => LayerOptions::core(self.urls()).capacity(ROOM),
        };
        let options = match self.setup.format {
            PayloadFormat::MsgPack => options,
            PayloadFormat::Json => options.serializer_format("json"),
        };
        if self.setup.encrypted { options.symmetric_encryption_keys(&["secret", "older"]) } else { options }
    }

    /// A layer in Python, with a process name of its own: like another process.
    pub(crate) async fn django(&self) -> Layer {
        self.django_with(self.django_options()).await
    }

    pub(crate) async fn django_with(&self, options: LayerOptions) -> Layer {
        self.python.layer(options).await.unwrap()
    }

    /// A new channel of a layer in Python that is sure to get what is sent from now on.
    pub(crate) async fn channel_of(&self, django: &Layer) -> String {
        let channel = django.new_channel().await.unwrap();
        self.wait_for_subscribers(&self::channel(&channel), 1);
        channel
    }

    /// A member of a group, as [`channel_of`](Self::channel_of); `members` processes are in it then.
    pub(crate) async fn member(&self, django: &Layer, group: &Topic, members: u64) -> String {
        let channel = django.new_channel().await.unwrap();
        django.group_add(group.name(), &channel).await.unwrap();
        self.wait_for_subscribers(group, members);
        channel
    }

    /// The pub/sub layer of Python does not wait until Redis has its subscriptions. On the core layer there are none.
    pub(crate) fn wait_for_subscribers(&self, topic: &Topic, processes: u64) {
        if self.setup.kind == Kind::PubSub {
            let name = match topic.kind() {
                TopicKind::Group => format!("asgi__group__{}", topic.name()),
                TopicKind::Channel => topic.name().to_owned(),
            };
            rig::wait_until(&format!("{processes} subscribers of {name}"), || {
                let count =
                    |server: &Redis| server.reply(&["PUBSUB", "NUMSUB", &name]).items()[1].to_string();
                self.servers.iter().map(|server| count(server).parse::<u64>().unwrap()).sum::<u64>()
                    == processes
            });
        }
    }

    fn urls(&self) -> impl Iterator<Item = String> {
        self.servers.iter().map(Redis::url)
    }
}

pub(crate) fn group(name: &str) -> Topic {
    Group::<()>::new(name).unwrap().topic()
}

pub(crate) fn channel(name: &str) -> Topic {
    Channel::<()>::new(name).unwrap().topic()
}
