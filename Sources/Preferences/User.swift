import Randomness

/// A person who compared responses.
///
/// `Choice` is what the comparisons are: `Comparison` as text, `TokenizedComparison` as reward models see it.
package struct User<Choice: Sendable>: Sendable {
    /// Identifies the user; two ids are the same only where their UTF-8 bytes are.
    package var id: String
    /// The group that the data names, used for scoring only (and for `assignment: known`).
    package var group: String?
    /// The user's comparisons, in the order of the file.
    package var comparisons: [Choice]

    /// Describes a user.
    package init(id: String, group: String? = nil, comparisons: [Choice]) {
        self.id = id
        self.group = group
        self.comparisons = comparisons
    }
}

extension User: Equatable where Choice: Equatable {}

/// Whether `a` comes before `b` by UTF-8 bytes: the order of users everywhere, the same on every rank and locale.
package func precedes(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
}

/// The FNV-1a hash of the UTF-8 bytes: a key for random streams that stays the same in every process and release.
package func stableHash(_ text: String) -> UInt64 { fnv1a(text.utf8) }
