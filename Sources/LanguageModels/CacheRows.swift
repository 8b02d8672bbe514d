/// The rows of the key–value cache that are free, as runs in ascending order.
struct CacheRows {
    private var free: [Range<Int>]

    /// All of `count` rows are free.
    init(count: Int) { free = [0..<count] }

    /// Takes the first run of `count` free rows; nil where there is none so long.
    mutating func take(_ count: Int) -> Range<Int>? {
        guard count > 0 else { return 0..<0 }
        guard let index = free.firstIndex(where: { $0.count >= count }) else { return nil }
        let start = free[index].lowerBound
        free[index] = start + count..<free[index].upperBound
        if free[index].isEmpty { free.remove(at: index) }
        return start..<start + count
    }

    /// Gives back rows that were taken.
    mutating func give(_ rows: Range<Int>) {
        guard !rows.isEmpty else { return }
        let index = free.firstIndex { $0.lowerBound >= rows.upperBound } ?? free.count
        free.insert(rows, at: index)
        for left in [index, index - 1] where left >= 0 && left + 1 < free.count {
            guard free[left].upperBound == free[left + 1].lowerBound else { continue }
            free[left] = free[left].lowerBound..<free[left + 1].upperBound
            free.remove(at: left + 1)
        }
    }
}
