/// How many of some users' comparisons are right, with a 95 % interval that takes a user's comparisons as one
/// observation: people differ, and more comparisons of the same person tell less than those of another.
package struct Accuracy: Sendable {
    /// Of each user the right ones (a tie counts half) and all.
    package var users: [(right: Double, total: Int)]

    /// States the counts of each user.
    package init(users: [(right: Double, total: Int)]) {
        self.users = users
    }

    /// The share of right ones with its interval; nil where there is no comparison.
    ///
    /// Wilson's score interval (1927), `(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)` with z = 1.96, which unlike
    /// p ± z·s stays within 0…1; n is the number of comparisons divided by the design effect (Kish 1965), the clustered
    /// variance of p, `U/(U − 1)·Σ (right_h − p·total_h)² / N²`, over the binomial one, 1 at least.
    package var estimate: Estimate? {
        let all = users.reduce(0) { $0 + $1.total }
        guard all > 0 else { return nil }
        let total = Double(all)
        let p = users.reduce(0) { $0 + $1.right } / total
        let clusters = Double(users.count { $0.total > 0 })
        let squares = users.reduce(0) { sum, user in
            let difference = user.right - p * Double(user.total)
            return sum + difference * difference
        }
        let clustered = clusters > 1 ? clusters / (clusters - 1) * squares / (total * total) : 0
        let binomial = p * (1 - p) / total
        let n = total / (binomial > 0 ? max(1, clustered / binomial) : 1)
        let z = 1.959963984540054
        let center = p + z * z / (2 * n)
        let spread = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        let scale = 1 + z * z / n
        return Estimate(mean: p, low: max(0, (center - spread) / scale), high: min(1, (center + spread) / scale))
    }
}
