/// `evaluate`: win rates on prompts that no training saw.
package struct EvaluateSection: Equatable, Sendable {
    /// Who decides which of two responses is better.
    package enum Judge: String, CaseIterable, Sendable { case taste, reward }

    package let prompts: Int
    package let samplesPerPrompt: Int
    package let judges: [Judge]
    package let bootstrap: Int
    package let sampleTexts: Int
    package let temperature: Double

    init(_ keys: inout SectionReader) {
        prompts = keys.read("prompts", .integer(.atLeast(1), unit: "prompts"), 256, "Held-out prompts.")
        samplesPerPrompt = keys.read(
            "samples_per_prompt",
            .integer(.atLeast(1), unit: "samples"),
            1,
            "Responses of every policy to each."
        )
        judges = keys.read(
            "judges",
            .choices(Judge.self),
            [.taste, .reward],
            "taste: the simulated users' true utilities; reward: the learned reward models."
        )
        bootstrap = keys.read(
            "bootstrap",
            .integer(.from(100, to: 1_000_000), unit: "resamples"),
            1_000,
            "Resamples behind the 95 % intervals."
        )
        sampleTexts = keys.read(
            "sample_texts",
            .integer(.atLeast(0), unit: "prompts"),
            4,
            "Prompts whose responses are shown in the report."
        )
        temperature = keys.read("temperature", .number(.atLeast(0)), 1, "Sampling temperature; 0: greedy.")
    }
}
