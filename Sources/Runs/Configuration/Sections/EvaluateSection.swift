import StrictYAML

/// `evaluate`: win rates on prompts that no training saw.
package struct EvaluateSection: Equatable, Sendable {
    /// Who decides which of two responses is better.
    package enum Judge: String, CaseIterable, Sendable { case taste, reward }

    package var prompts = 256
    package var samplesPerPrompt = 1
    package var judges: [Judge] = [.taste, .reward]
    package var bootstrap = 1_000
    package var sampleTexts = 4
    package var temperature = 1.0

    mutating func read(_ keys: inout SectionReader) {
        keys.read("prompts", &prompts, .integer(.atLeast(1), unit: "prompts"), "Held-out prompts.")
        keys.read(
            "samples_per_prompt",
            &samplesPerPrompt,
            .integer(.atLeast(1), unit: "samples"),
            "Responses of every policy to each."
        )
        keys.read(
            "judges",
            &judges,
            .choices(Judge.self),
            "taste: the simulated users' true utilities; reward: the learned reward models."
        )
        keys.read(
            "bootstrap",
            &bootstrap,
            .integer(.from(100, to: 1_000_000), unit: "resamples"),
            "Resamples behind the 95 % intervals."
        )
        keys.read(
            "sample_texts",
            &sampleTexts,
            .integer(.atLeast(0), unit: "prompts"),
            "Prompts whose responses are shown in the report."
        )
        keys.read("temperature", &temperature, .number(.atLeast(0)), "Sampling temperature; 0: greedy.")
    }
}
