import Tensors

/// How many sequences a cache of so many rows has room for at a time, `samples` of which share a prompt.
///
/// - Parameter tail: rows of a sequence behind its prompt.
package func sequencesInCache(rows: Int, prompt: Int, tail: Int, samples: Int) -> Int {
    let shared = prompt + samples * tail
    let left = max(0, rows % shared - prompt)
    return max(1, rows / shared * samples + (tail > 0 ? min(samples, left / tail) : 0))
}

/// Rows of the cache that a response takes behind its prompt: its last token never gets there.
package func cachedTail(prompt: Int, maxNewTokens: Int, contextLength: Int) -> Int {
    max(0, min(maxNewTokens - 1, contextLength - 1 - prompt))
}

/// The sequences of a call of `sample` that wait, and the rows of the cache that are free for them.
///
/// Sequences of equal prompts that follow one another begin together, and share the prompt's rows. One that ends makes
/// room for others.
struct SamplingQueue {
    /// Sequences of one prompt that begin, and where they lie.
    struct Admission {
        let sequences: Range<Int>
        let prefix: Range<Int>
        let tails: [Range<Int>]
    }

    /// Rows of the cache.
    let rows: Int
    private let most: Int
    private let shapes: [(prompt: Int, tail: Int)]
    private var waiting: ArraySlice<Range<Int>>
    private var free: CacheRows
    /// How many sequences use a prefix, by its first row.
    private var users: [Int: Int] = [:]

    /// - Parameters:
    ///   - runs: sequences of equal prompts.
    ///   - prompts: tokens of each sequence's prompt, one at least.
    ///   - rows: of the cache, at most, unless one sequence takes more.
    init(runs: [Range<Int>], prompts: [Int], maxNewTokens: Int, contextLength: Int, rows: Int) {
        let shapes = prompts.map {
            (prompt: $0, tail: cachedTail(prompt: $0, maxNewTokens: maxNewTokens, contextLength: contextLength))
        }
        let longest = shapes.reduce((prompt: 0, tail: 0)) { (max($0.prompt, $1.prompt), max($0.tail, $1.tail)) }
        let all = runs.reduce(0) { $0 + shapes[$1.lowerBound].prompt + $1.count * shapes[$1.lowerBound].tail }
        let room = max(rows, shapes.reduce(0) { max($0, $1.prompt + $1.tail) })
        let samples = runs.reduce(Int.max) { min($0, $1.count) }
        let most = sequencesInCache(rows: room, prompt: longest.prompt, tail: longest.tail, samples: samples)
        // A run that has no room at once begins in parts.
        waiting =
            runs.flatMap { run in
                let (prompt, tail) = shapes[run.lowerBound]
                let part = min(most, tail > 0 ? max(1, (room - prompt) / tail) : run.count)
                return stride(from: run.lowerBound, to: run.upperBound, by: part).map {
                    $0..<min($0 + part, run.upperBound)
                }
            }[...]
        self.rows = min(all, room)
        self.most = most
        self.shapes = shapes
        free = CacheRows(count: self.rows)
    }

    var isEmpty: Bool { waiting.isEmpty }

    /// Takes the next sequences, in order, as long as there is room for them beside those under way.
    mutating func admit(beside active: Int) -> [Admission] {
        var admitted: [Admission] = []
        var count = active
        while let run = waiting.first, count + run.count <= most, let admission = place(run) {
            admitted.append(admission)
            count += run.count
            waiting.removeFirst()
        }
        precondition(count > 0 || waiting.isEmpty, "an empty cache has room for a sequence")
        return admitted
    }

    /// Frees the rows of a sequence that has ended.
    mutating func release(_ sequence: CachedSequence) {
        free.give(sequence.tail)
        let left = (users[sequence.prefix.lowerBound] ?? 1) - 1
        users[sequence.prefix.lowerBound] = left > 0 ? left : nil
        if left == 0 { free.give(sequence.prefix) }
    }

    private mutating func place(_ run: Range<Int>) -> Admission? {
        let (prompt, tail) = shapes[run.lowerBound]
        let before = free
        guard let prefix = free.take(prompt) else { return nil }
        var tails: [Range<Int>] = []
        for _ in run {
            guard let own = free.take(tail) else {
                free = before
                return nil
            }
            tails.append(own)
        }
        users[prefix.lowerBound] = run.count
        return Admission(sequences: run, prefix: prefix, tails: tails)
    }
}
