import Evaluation
import Reporting
import Runs
import StrictJSON

/// How often the one model's responses were preferred to the other's, by one judge.
struct Judgment {
    /// `taste`, `reward` or `llm`.
    let judge: String
    /// The taste, the reward model's directory, or the rubric's group.
    let name: String
    let winRate: Estimate

    /// - Parameter wins: of each prompt; the interval is by bootstrap over them.
    init(judge: String, name: String, wins: [Double], _ request: CompareRequest) {
        self.judge = judge
        self.name = name
        winRate = WinRates(wins: [wins], resamples: request.bootstrap, seed: request.seed).groups[0]
    }
}

/// What `maxmin evaluate --policy` found.
struct ComparedModels {
    let policy: String
    let against: String
    let prompts: Int
    let samples: Int
    let judgments: [Judgment]
    /// Of the policy and of the other.
    let meanTokens: [Double]
    /// In nats a response; nil where the two have different tokens.
    let kl: Double?
    let llm: LLMUse?

    /// For people.
    var table: String {
        var table = Table(["judge", "of", "win rate %"])
        for judgment in judgments {
            table.add([judgment.judge, judgment.name, judgment.winRate.percent])
        }
        let lengths = meanTokens.map { $0.formatted(decimals: 1) }
        let divergence =
            kl.map { "\($0.formatted(decimals: 2)) nats" } ?? "unknown, for they have different tokens"
        return """
            \(policy) against \(against), on \(prompts) prompts × \(samples)
            \(table.text)
            mean tokens: \(lengths[0]) against \(lengths[1])
            KL of a response: \(divergence)
            """
    }

    var json: JSONValue {
        [
            "policy": .string(policy), "against": .string(against), "prompts": .integer(prompts),
            "samples_per_prompt": .integer(samples),
            "judges": .array(
                judgments.map {
                    ["judge": .string($0.judge), "name": .string($0.name), "win_rate": $0.winRate.json]
                }
            ),
            "mean_tokens": ["policy": .number(meanTokens[0]), "against": .number(meanTokens[1])],
            "kl": JSONValue(optional: kl), "llm": llm?.json ?? .null,
        ]
    }
}
