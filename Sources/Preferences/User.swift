import Randomness
package import Text

/// One choice of one user: of two responses to a prompt, the one they preferred.
package struct Comparison: Equatable, Sendable {
    /// What both responses answer or continue.
    package var prompt: Conversation
    /// The preferred response.
    package var chosen: String
    /// The other response.
    package var rejected: String
    /// Whether `chosen` ends where its writer ended it; false where sampling was cut short, so that no end-of-text
    /// follows.
    package var chosenIsComplete: Bool
    /// The same for `rejected`.
    package var rejectedIsComplete: Bool

    /// States a comparison; responses are complete unless said otherwise.
    package init(
        prompt: Conversation,
        chosen: String,
        rejected: String,
        chosenIsComplete: Bool = true,
        rejectedIsComplete: Bool = true
    ) {
        self.prompt = prompt
        self.chosen = chosen
        self.rejected = rejected
        self.chosenIsComplete = chosenIsComplete
        self.rejectedIsComplete = rejectedIsComplete
    }
}

/// A person who compared responses.
package struct User: Equatable, Sendable {
    /// Identifies the user; two ids are the same only where their UTF-8 bytes are.
    package var id: String
    /// The group that the data names, used for scoring only (and for `assignment: known`).
    package var group: String?
    /// The user's comparisons, in the order of the file.
    package var comparisons: [Comparison]

    /// Describes a user.
    package init(id: String, group: String? = nil, comparisons: [Comparison]) {
        self.id = id
        self.group = group
        self.comparisons = comparisons
    }
}

/// Whether `a` comes before `b` by UTF-8 bytes: the order of users everywhere, the same on every rank and locale.
package func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
}

/// The FNV-1a hash of the UTF-8 bytes: a key for random streams that stays the same in every process and release.
package func stableHash(_ text: String) -> UInt64 { fnv1a(text.utf8) }
