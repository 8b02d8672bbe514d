import StrictYAML

/// `simulate`: users with stated tastes, who choose between responses sampled from the reference policy.
package struct SimulateSection: Equatable, Sendable {
    /// A group of users who share one true utility.
    package struct Group: Equatable, Sendable {
        package var name = ""
        package var users = 1
        /// `length`, `sentiment`, or the path of an n-gram scorer's JSON file.
        package var taste = "length"
        package var strongest = 0

        mutating func read(_ keys: inout SectionReader) {
            keys.readRequired("name", &name, .text, "Name of the group, in tables and metrics.")
            keys.readRequired("users", &users, .integer(.from(0, to: 1_000_000), unit: "users"), "Users of the group.")
            keys.readRequired(
                "taste",
                &taste,
                .path,
                "What the group likes: `length` (fewer tokens), `sentiment` (positive words of the embedded corpus), "
                    + "or the "
                    + "path of a linear n-gram scorer."
            )
            keys.read(
                "strongest",
                &strongest,
                .integer(.atLeast(0), unit: "n-grams"),
                "Use only so many of the scorer's n-grams, those with the largest weights; 0: all."
            )
        }
    }

    package var groups: [Group] = []
    package var comparisonsPerUser = 200
    package var sharpness = 4.0
    package var promptTokens = 6
    package var maxNewTokens = 56
    package var temperature = 1.0

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
