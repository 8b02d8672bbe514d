/// Maximal runs of a range that lie inside or outside some ranges, which are in order; in order.
package func cut(_ piece: Range<Int>, at ranges: [Range<Int>]) -> [(range: Range<Int>, isInside: Bool)] {
    var runs: [(range: Range<Int>, isInside: Bool)] = []
    var covered = piece.lowerBound
    for range in ranges where range.overlaps(piece) {
        let inside = range.clamped(to: piece)
        if covered < inside.lowerBound { runs.append((covered..<inside.lowerBound, false)) }
        runs.append((inside, true))
        covered = inside.upperBound
    }
    if covered < piece.upperBound { runs.append((covered..<piece.upperBound, false)) }
    return runs
}

/// What lies in a range and in none of some others, which are in order; in order.
package func gaps(in piece: Range<Int>, between ranges: [Range<Int>]) -> [Range<Int>] {
    cut(piece, at: ranges).filter { !$0.isInside }.map(\.range)
}

/// Ranges, which are in order, joined where they touch; empty ones are left out.
package func joined(_ ranges: some Sequence<Range<Int>>) -> [Range<Int>] {
    ranges.reduce(into: []) { all, range in
        if range.isEmpty { return }
        if let last = all.last, last.upperBound == range.lowerBound {
            all[all.count - 1] = last.lowerBound..<range.upperBound
        } else {
            all.append(range)
        }
    }
}
