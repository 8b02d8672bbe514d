package import StrictYAML

/// A run's whole configuration.
///
/// Every key is declared once, where its section reads it; `docs/configuration.md` and `config.yaml` are made from
/// those declarations.
package struct Configuration: Equatable, Sendable {
    package private(set) var run = RunSection()
    package private(set) var model = ModelSection()
    package private(set) var data = DataSection()
    package private(set) var sft = SFTSection()
    package private(set) var simulate = SimulateSection()
    package private(set) var reward = RewardSection()
    package private(set) var calibrate = CalibrateSection()
    package private(set) var policy = PolicySection()
    package private(set) var evaluate = EvaluateSection()
    /// How many shards users and prompts are dealt to: the unit of data ownership, randomness and reduction.
    package private(set) var shards = 8
    /// The configuration written out with every key: what `config.yaml` in the run directory holds.
    package private(set) var effectiveYAML = ""
    /// The value of every key as it stands there, by `section.key`.
    private(set) var values: [String: String] = [:]

    /// Decodes YAML text, with `--set` options (`policy.beta=0.1`) laid over it.
    ///
    /// - Throws: every problem at once.
    package init(yaml text: String, file: String, overrides: [String] = []) throws(ConfigurationError) {
        let (value, top) = try readDocument(
            text,
            file: file,
            edit: { (root) throws(ConfigurationError) in
                for option in overrides { try applyOverride(option, to: &root) }
            },
            { Configuration(&$0) },
            checks: crossChecks
        )
        self = value
        effectiveYAML = writeYAML(top)
        for record in top.allRecords { values[record.path] = record.value }
    }

    init(_ top: inout SectionReader) {
        top.section("run") { run.read(&$0) }
        top.section("model") { model.read(&$0) }
        top.section("data") { data.read(&$0) }
        top.section("sft") { sft.read(&$0) }
        top.section("simulate") { simulate.read(&$0) }
        top.section("reward") { reward.read(&$0) }
        top.section("calibrate") { calibrate.read(&$0) }
        top.section("policy") { policy.read(&$0) }
        top.section("evaluate") { evaluate.read(&$0) }
        top.read(
            "shards",
            &shards,
            .integer(.from(1, to: 65_536)),
            "Shards that users and prompts are dealt to; at least as many as ranks. Results depend on shards, not on "
                + "ranks."
        )
    }
}
