import StrictYAML

/// `simulate`: users with stated tastes, who choose between responses sampled from the reference policy.
package struct SimulateSection: Equatable, Sendable {
    /// A group of users who share one true utility.
    package struct Group: Equatable, Sendable {
        package var name = ""
        package var users = 1
        package var liking = Liking()
        /// What a mix is of.
        package var components: [Component] = []
        /// nil: that of the section.
        package var sharpness: Double?
        package var lapse = 0.0

        mutating func read(_ keys: inout SectionReader) {
            keys.readRequired("name", &name, .text, "Name of the group, in tables and metrics.")
            keys.readRequired("users", &users, .integer(.from(0, to: 1_000_000), unit: "users"), "Users of the group.")
            liking.read(
                &keys,
                "What the group likes: `length` (fewer tokens), `sentiment` (positive words of the embedded corpus), "
                    + "`voice` (sentences in the first person), `setting` (sentences with a time or a place), "
                    + "`word-length` (short words), `words`, `mix`, or the path of a linear n-gram scorer; a path has "
                    + "a `/` or ends in `.json`."
            )
            keys.readList(
                "components",
                &components,
                of: Component(),
                standard: "[]",
                "What a `mix` is of: its utility is Σ weight·(u − μ)/σ, on the scale of the responses that `simulate` "
                    + "samples."
            ) { $0.read(&$1) }
            keys.read(
                "sharpness",
                &sharpness,
                .optional(.number(.above(0))),
                "Sharpness of this group's choices; null: `simulate.sharpness`."
            )
            keys.read("lapse", &lapse, .number(.from(0, to: 1)), "Part of the group's choices that are a fair coin.")
        }
    }

    /// A taste and what it is told.
    package struct Liking: Equatable, Sendable {
        /// One of `Taste.names`, or the path of an n-gram scorer's JSON file.
        package var taste = "length"
        package var strongest = 0
        package var words: [String] = []

        mutating func read(_ keys: inout SectionReader, _ meaning: String) {
            keys.readRequired("taste", &taste, .path, meaning)
            keys.read(
                "strongest",
                &strongest,
                .integer(.atLeast(0), unit: "n-grams"),
                "Use only so many of the scorer's n-grams, those with the largest weights; 0: all."
            )
            keys.read("words", &words, .texts, "What the taste `words` counts: the share of a response's words.")
        }
    }

    /// A taste that is mixed with others.
    package struct Component: Equatable, Sendable {
        package var liking = Liking()
        package var weight = 0.0

        mutating func read(_ keys: inout SectionReader) {
            liking.read(&keys, "A taste as that of a group, but no `mix`.")
            keys.readRequired("weight", &weight, .number(), "How much it counts; below 0 it is disliked.")
        }
    }

    package var groups: [Group] = []
    package var comparisonsPerUser = 200
    package var sharpness = 4.0
    package var promptTokens = 6
    package var maxNewTokens = 56
    package var temperature = 1.0

    /// The scorers' files that ranks and resumed runs compare.
    var scorerFiles: [String] {
        groups.flatMap { [$0.liking] + $0.components.map(\.liking) }.map(\.taste).filter { $0.hasSuffix(".json") }
    }

    mutating func read(_ keys: inout SectionReader) {
        keys.readList(
            "groups",
            &groups,
            of: Group(),
            standard: "[{name: positive, users: 20, taste: sentiment}, {name: concise, users: 2, taste: length}]",
            "The hidden groups. Training never sees which user is in which."
        ) { $0.read(&$1) }
        keys.read(
            "comparisons_per_user",
            &comparisonsPerUser,
            .integer(.atLeast(1), unit: "comparisons"),
            "Comparisons of each user."
        )
        keys.read(
            "sharpness",
            &sharpness,
            .number(.above(0)),
            "Sharpness s of choices: the better response wins with probability σ(s·Δ/σ_Δ), Δ the difference of "
                + "utilities "
                + "and σ_Δ its standard deviation."
        )
        keys.renamed("noise", to: "sharpness")
        keys.read(
            "prompt_tokens",
            &promptTokens,
            .integer(.atLeast(1), unit: "tokens"),
            "Length of prompts cut from the starts of texts."
        )
        keys.read("max_new_tokens", &maxNewTokens, .integer(.atLeast(1), unit: "tokens"), "Longest response.")
        keys.read("temperature", &temperature, .number(.above(0)), "Sampling temperature.")
    }
}
