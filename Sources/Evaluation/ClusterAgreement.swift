/// How well found groups match the true ones, whatever the found groups are called.
package struct ClusterAgreement: Equatable, Sendable {
    /// Share of users in the right group under the best one-to-one naming of groups by labels.
    package var agreement: Double
    /// Adjusted Rand index: 1 for equal partitions, 0 on average for random ones.
    package var adjustedRandIndex: Double
    /// The label of each found group under the best naming; nil where there are more groups than labels.
    package var labels: [String?]

    /// Compares assignments with labels.
    ///
    /// - Parameters:
    ///   - groups: each user's found group, 0 ..< groupCount.
    ///   - truth: each user's true label.
    ///   - groupCount: how many groups were fitted, empty ones included.
    package init(groups: [Int], truth: [String], groupCount: Int) {
        precondition(groups.count == truth.count, "\(groups.count) assignments, \(truth.count) labels")
        precondition(groups.allSatisfy { (0..<groupCount).contains($0) }, "a group outside 0..<\(groupCount)")
        let names = Set(truth).sorted()
        var counts = [[Int]](repeating: [Int](repeating: 0, count: names.count), count: groupCount)
        for (group, label) in zip(groups, truth) {
            counts[group][names.firstIndex(of: label) ?? 0] += 1
        }
        let match = bestMatching(counts)
        let matched = zip(counts, match).reduce(0) { sum, pair in sum + (pair.1.map { pair.0[$0] } ?? 0) }
        agreement = groups.isEmpty ? 1 : Double(matched) / Double(groups.count)
        adjustedRandIndex = adjustedRand(counts)
        labels = match.map { $0.map { names[$0] } }
    }
}

/// The one-to-one assignment of rows to columns with the largest sum; rows beyond the number of columns get nil.
///
/// The Hungarian method with potentials (Kuhn 1955; Jonker and Volgenant 1987), O(n³), on the square matrix padded by
/// zeros. Among equal sums earlier rows prefer earlier columns as far as the method's order of augmentation goes.
func bestMatching(_ gains: [[Int]]) -> [Int?] {
    let columns = gains.first?.count ?? 0
    let size = max(gains.count, columns)
    guard size > 0 else { return [] }
    func cost(_ row: Int, _ column: Int) -> Int { row < gains.count && column < columns ? -gains[row][column] : 0 }

    // Position 0 of rows and columns is a sentinel; rowOf[c] is the row matched to column c.
    var rowPotential = [Int](repeating: 0, count: size + 1)
    var columnPotential = [Int](repeating: 0, count: size + 1)
    var rowOf = [Int](repeating: 0, count: size + 1)
    for row in 1...size {
        rowOf[0] = row
        var column = 0
        var slack = [Int](repeating: Int.max, count: size + 1)
        var previous = [Int](repeating: 0, count: size + 1)
        var visited = [Bool](repeating: false, count: size + 1)
        repeat {
            visited[column] = true
            var step = Int.max
            var next = 0
            for candidate in 1...size where !visited[candidate] {
                let reduced =
                    cost(rowOf[column] - 1, candidate - 1) - rowPotential[rowOf[column]] - columnPotential[candidate]
                if reduced < slack[candidate] {
                    slack[candidate] = reduced
                    previous[candidate] = column
                }
                if slack[candidate] < step {
                    step = slack[candidate]
                    next = candidate
                }
            }
            for other in 0...size {
                if visited[other] {
                    rowPotential[rowOf[other]] += step
                    columnPotential[other] -= step
                } else if other > 0 {
                    slack[other] -= step
                }
            }
            column = next
        } while rowOf[column] != 0
        while column != 0 {
            rowOf[column] = rowOf[previous[column]]
            column = previous[column]
        }
    }
    var match = [Int?](repeating: nil, count: gains.count)
    for column in 1...size where rowOf[column] <= gains.count && column <= columns {
        match[rowOf[column] - 1] = column - 1
    }
    return match
}

/// Hubert and Arabie (1985): `(Σ C(n_ij,2) − E) / (½(Σ C(a_i,2) + Σ C(b_j,2)) − E)`,
/// `E = Σ C(a_i,2) Σ C(b_j,2) / C(n,2)`.
private func adjustedRand(_ counts: [[Int]]) -> Double {
    func pairs(_ n: Int) -> Double { Double(n) * Double(n - 1) / 2 }
    let rows = counts.map { $0.reduce(0, +) }
    let columns = (counts.first ?? []).indices.map { column in counts.reduce(0) { $0 + $1[column] } }
    let together = counts.joined().reduce(0) { $0 + pairs($1) }
    let inRows = rows.reduce(0) { $0 + pairs($1) }
    let inColumns = columns.reduce(0) { $0 + pairs($1) }
    let total = pairs(rows.reduce(0, +))
    let expected = total > 0 ? inRows * inColumns / total : 0
    let largest = (inRows + inColumns) / 2
    // Both partitions trivial in the same way (all in one, or all alone): they are equal.
    return largest == expected ? 1 : (together - expected) / (largest - expected)
}
