/// A run's whole configuration.
///
/// Every key is declared once, where its section reads it; `docs/configuration.md` and `config.yaml` are made from
/// those declarations.
package struct Configuration: Equatable, Sendable {
    package let run: RunSection
    package let model: ModelSection
    package let data: DataSection
    package let sft: SFTSection
    package let simulate: SimulateSection
    package let reward: RewardSection
    package let calibrate: CalibrateSection
    package let policy: PolicySection
    package let evaluate: EvaluateSection
    /// How many shards users and prompts are dealt to: the unit of data ownership, randomness and reduction.
    package let shards: Int
    /// The configuration written out with every key: what `config.yaml` in the run directory holds.
    package private(set) var effectiveYAML = ""
    /// The value of every key as it stands there, by `section.key`.
    private(set) var values: [String: String] = [:]

    /// Decodes YAML text, with `--set` options (`policy.beta=0.1`) laid over it.
    ///
    /// - Throws: every problem at once.
    package init(yaml text: String, file: String, overrides: [String] = []) throws(ConfigurationError) {
        var root = try readYAML(text, file: file)
        for option in overrides { try applyOverride(option, to: &root) }
        var top = SectionReader(path: "", node: root)
        self.init(&top)
        top.finish()
        let problems = top.problems.isEmpty ? crossChecks(self) : top.problems
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        effectiveYAML = writeYAML(top)
        for record in top.allRecords { values[record.path] = record.value }
    }

    init(_ top: inout SectionReader) {
        run = top.section("run", RunSection.init)
        model = top.section("model", ModelSection.init)
        data = top.section("data", DataSection.init)
        sft = top.section("sft", SFTSection.init)
        simulate = top.section("simulate", SimulateSection.init)
        reward = top.section("reward", RewardSection.init)
        calibrate = top.section("calibrate", CalibrateSection.init)
        policy = top.section("policy", PolicySection.init)
        evaluate = top.section("evaluate", EvaluateSection.init)
        shards = top.read(
            "shards",
            .integer(.from(1, to: 65_536)),
            8,
            "Shards that users and prompts are dealt to; at least as many as ranks. Results depend on shards, not on ranks."
        )
    }
}
