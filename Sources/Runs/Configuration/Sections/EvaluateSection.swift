import StrictYAML

/// `evaluate`: win rates on prompts that no training saw.
package struct EvaluateSection: Equatable, Sendable {
    /// Who decides which of two responses is better.
    package enum Judge: String, CaseIterable, Sendable {
        case taste, reward
        case heldOut = "held-out"
        case llm
    }

    package var prompts = 256
    package var samplesPerPrompt = 1
    package var judges: [Judge] = [.taste, .reward]
    package var bootstrap = 1_000
    package var sampleTexts = 4
    package var temperature = 1.0
    package var bestOf: [Int] = []
    package var llm = LLMJudgeSection()

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
            "taste: the simulated users' true utilities; reward: the learned reward models; held-out: others, of "
                + "comparisons that those never saw (`reward.judge_fraction`); llm: a language "
                + "model behind `evaluate.llm.url`, by a rubric for each group."
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
        keys.read(
            "best_of",
            &bestOf,
            .sizes,
            "Sizes n of best of n: the reference's best response by the rewards of all groups, beside the policies."
        )
        keys.section("llm") { llm.read(&$0) }
    }
}

extension KeyType<[Int]> {
    /// Up to eight sizes of best of n.
    fileprivate static var sizes: Self {
        let size = KeyType<Int>.integer(.from(2, to: 1024))
        return KeyType(
            name: "list of integers, each at most once",
            unit: "responses",
            bounds: "2 to 1024, at most 8 of them",
            show: { "\($0)" }
        ) { node in
            guard case .list(let elements) = node.content, elements.count <= 8 else { return nil }
            let sizes = elements.compactMap(size.convert)
            return sizes.count == elements.count && Set(sizes).count == sizes.count ? sizes : nil
        } describe: { node in
            guard case .list(let elements) = node.content else { return node.kind }
            let wrong = elements.first { size.convert($0) == nil }
            return wrong?.kind ?? (elements.count > 8 ? "\(elements.count) sizes" : "a size twice")
        }
    }
}
