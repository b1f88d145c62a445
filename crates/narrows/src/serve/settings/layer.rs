use super::{Program, Setting};

impl Program {
    /// Adds the settings that say which channel layer the program is on: `layer` (`memory`, or where Redis is),
    /// `layer_kind`, `layer_prefix`, `layer_serializer` and `layer_key`.
    ///
    /// ```
    /// use narrows::serve::settings::{Command, Program, Settings};
    ///
    /// let program = Program::new("chat", "1.0.0").layer_settings();
    /// let args = ["--layer=redis://redis:6379", "--layer-kind=core"];
    /// if let Command::Run(loaded) = Settings::load(&program, args, [("", ""); 0])? {
    ///     assert_eq!((loaded.text("layer"), loaded.text("layer_kind")), ("redis://redis:6379", "core"));
    /// }
    /// # Ok::<(), narrows::serve::settings::SettingsError>(())
    /// ```
    ///
    /// `narrows_redis::LayerSettings::read` makes a layer of them.
    #[must_use]
    pub fn layer_settings(self) -> Self {
        let about = "memory, or where Redis is: redis://host:6379, several with commas";
        self.setting(Setting::text("layer", "memory", about).secret())
            .setting(Setting::choice(
                "layer_kind",
                &["pubsub", "core"],
                "pubsub",
                "Which of the two Redis layers",
            ))
            .setting(Setting::text("layer_prefix", "asgi", "What the names in Redis begin with"))
            .setting(Setting::choice(
                "layer_serializer",
                &["msgpack", "json"],
                "msgpack",
                "How messages are written in Redis",
            ))
            .setting(
                Setting::list("layer_key", "Keys that encrypt messages in Redis; the first writes").secret(),
            )
    }
}
