/// `simulate`: users with stated tastes, who choose between responses sampled from the reference policy.
package struct SimulateSection: Equatable, Sendable {
    /// A group of users who share one true utility.
    package struct Group: Equatable, Sendable {
        package let name: String
        package let users: Int
        /// `length`, `sentiment`, or the path of an n-gram scorer's JSON file.
        package let taste: String
        package let strongest: Int

        init(_ keys: inout SectionReader) {
            name = keys.readRequired("name", .text, placeholder: "", "Name of the group, in tables and metrics.")
            users = keys.readRequired(
                "users",
                .integer(.from(0, to: 1_000_000), unit: "users"),
                placeholder: 1,
                "Users of the group."
            )
            taste = keys.readRequired(
                "taste",
                .path,
                placeholder: "length",
                "What the group likes: `length` (fewer tokens), `sentiment` (positive words of the embedded corpus), or the "
                    + "path of a linear n-gram scorer."
            )
            strongest = keys.read(
                "strongest",
                .integer(.atLeast(0), unit: "n-grams"),
                0,
                "Use only so many of the scorer's n-grams, those with the largest weights; 0: all."
            )
        }
    }

    package let groups: [Group]
    package let comparisonsPerUser: Int
    package let noise: Double
    package let promptTokens: Int
    package let maxNewTokens: Int
    package let temperature: Double

    init(_ keys: inout SectionReader) {
        groups = keys.readList(
            "groups",
            standard: "[{name: positive, users: 20, taste: sentiment}, {name: concise, users: 2, taste: length}]",
            "The hidden groups. Training never sees which user is in which.",
            body: Group.init
        )
        comparisonsPerUser = keys.read(
            "comparisons_per_user",
            .integer(.atLeast(1), unit: "comparisons"),
            200,
            "Comparisons of each user."
        )
        noise = keys.read(
            "noise",
            .number(.above(0)),
            4,
            "Sharpness s of choices: the better response wins with probability σ(s·Δ/σ_Δ), Δ the difference of utilities "
                + "and σ_Δ its standard deviation."
        )
        promptTokens = keys.read(
            "prompt_tokens",
            .integer(.atLeast(1), unit: "tokens"),
            6,
            "Length of prompts cut from the starts of texts."
        )
        maxNewTokens = keys.read(
            "max_new_tokens",
            .integer(.atLeast(1), unit: "tokens"),
            56,
            "Longest response."
        )
        temperature = keys.read("temperature", .number(.above(0)), 1, "Sampling temperature.")
    }
}
