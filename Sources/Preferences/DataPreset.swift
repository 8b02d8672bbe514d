import Failures
package import StrictJSON

/// Published data sets whose rows the program knows, each as a mapping of fields.
package enum DataPreset: String, CaseIterable, Sendable {
    case prism
    case communityAlignment = "community-alignment"
    case multipref
    case openaiComparisons = "openai-comparisons"
    case ultrafeedback
    case personalizedSoups = "personalized-soups"

    /// Its name on the Hugging Face hub, or else where it is published.
    package var dataset: String {
        switch self {
        case .prism: "HannahRoseKirk/prism-alignment"
        case .communityAlignment: "facebook/community-alignment-dataset"
        case .multipref: "allenai/multipref"
        case .openaiComparisons: "openai/summarize_from_feedback"
        case .ultrafeedback: "openbmb/UltraFeedback"
        case .personalizedSoups: "github.com/joeljang/RLPHF"
        }
    }

    /// Which of the data set's parts has the comparisons, where it has several.
    package var part: String? {
        switch self {
        case .prism: "conversations"
        case .openaiComparisons: "comparisons"
        case .communityAlignment, .multipref, .ultrafeedback, .personalizedSoups: nil
        }
    }

    /// The data set that has all these fields at the top of its rows; nil: none, or several.
    package static func recognizing(_ fields: [String]) -> DataPreset? {
        let present = Set(fields)
        let found = requiredNames.filter { $0.names.isSubset(of: present) }
        return found.count == 1 ? found[0].preset : nil
    }

    /// What `recognizing` looks for, since it may be asked of every line.
    private static let requiredNames = allCases.map { (preset: $0, names: $0.mapping.requiredNames) }

    /// Where our fields lie in its rows.
    package var mapping: FieldMapping {
        do {
            return try FieldMapping(fields)
        } catch {
            preconditionFailure("preset \(rawValue): \(error)")
        }
    }

    /// As `data.fields` would say it.
    package var fields: JSONValue {
        switch self {
        // A user rates up to four responses in the first turn of a conversation, and two in each other turn.
        case .prism:
            [
                "user_id": "user_id",
                "prompt": [
                    "conversation_history[turn<*, if_chosen!=false]", "conversation_history[turn=*, role=user]",
                ],
                "responses": "conversation_history[turn=*, role=model].content",
                "scores": "conversation_history[turn=*, role=model].score",
            ]
        // Up to four turns; in each the annotator chooses one of four responses, which goes before the next turn.
        case .communityAlignment: .array(communityTurns.indices.map(communityTurn))
        case .multipref:
            .array(
                ["normal_worker_annotations", "expert_worker_annotations"].map { workers in
                    [
                        "user_id": .string("\(workers)[].evaluator"), "prompt": "text",
                        "responses": ["completion_a", "completion_b"],
                        "choice": .string("\(workers)[].overall_pref"),
                        "choices": [
                            "A-is-clearly-better": 0, "A-is-slightly-better": 0, "Tie": "tie",
                            "B-is-slightly-better": 1, "B-is-clearly-better": 1,
                        ],
                    ]
                }
            )
        // Posts of Reddit, and in some batches articles instead, with the prompts of that work.
        case .openaiComparisons:
            .array(
                [
                    "=SUBREDDIT: r/{info.subreddit?}\n\nTITLE: {info.title?}\n\nPOST: {info.post?}\n\nTL;DR:",
                    "=Article: {info.article?}\n\nTL;DR:",
                ].map { prompt in
                    [
                        "user_id": "worker", "prompt": prompt, "responses": "summaries[].text", "choice": "choice",
                    ]
                }
            )
        // Every aspect that was rated counts as a user.
        case .ultrafeedback:
            .array(
                ["helpfulness", "honesty", "instruction_following", "truthfulness"].map { aspect in
                    [
                        "user_id": .string("=\(aspect)"), "prompt": "instruction",
                        "responses": "completions[].response",
                        "scores": .string("completions[].annotations.\(aspect).Rating"), "missing": ["N/A"],
                    ]
                }
            )
        // As in that work's own training of reward models, the first completion is the better one.
        case .personalizedSoups:
            [
                "user_id": "user_id", "group": "group?", "prompt": "user_input", "chosen": "completion_a",
                "rejected": "completion_b",
            ]
        }
    }
}

private let communityTurns = ["first", "second", "third", "fourth"]

private func communityTurn(_ turn: Int) -> JSONValue {
    let name = communityTurns[turn]
    let before = communityTurns[..<turn].flatMap { earlier in
        ["\(earlier)_turn_prompt", "\(earlier)_turn_{\(earlier)_turn_preferred_response}"]
    }
    let letters = ["a", "b", "c", "d"]
    var choices = JSONObject()
    for (index, letter) in letters.enumerated() { choices["response_\(letter)"] = .integer(index) }
    return [
        "user_id": "annotator_id",
        "prompt": .array((before + ["\(name)_turn_prompt"]).map(JSONValue.string)),
        "responses": .array(letters.map { .string("\(name)_turn_response_\($0)") }),
        "choice": .string("\(name)_turn_preferred_response"), "choices": .object(choices),
    ]
}
