internal import Foundation

/// A rank writes its state several times a second; one that is older than this many seconds (and than two of its intervals) is of a rank that is
/// frozen or gone.
private let freshness = 3.0

/// What the ranks' states tell of a run in which this rank makes no progress.
struct Diagnosis: Equatable {
    /// What is wrong, naming the ranks that are to blame.
    let fault: String
    /// Their numbers.
    let ranks: [Int]
}

/// Who left the run before the collective that this rank waits in, and will never come.
///
/// Nil where nobody did.
func missingRanks(_ states: [RankState], seenBy own: RankState) -> Diagnosis? {
    let ranks = states.filter { $0.isFinished && $0.number < own.number }.map(\.rank)
    guard own.isWaiting, !ranks.isEmpty else { return nil }
    return Diagnosis(fault: "\(named(ranks)) left the run before \(own.lastCall)", ranks: ranks)
}

/// Who holds up a rank that is out of time; nil while a rank that it waits for makes progress.
///
/// - Parameters:
///   - interval: seconds between two states of a rank.
///   - time: seconds since 1970.
func lateRanks(
    _ states: [RankState],
    seenBy own: RankState,
    deadline: Double,
    interval: Double,
    at time: Double
) -> Diagnosis? {
    guard own.isWaiting else {
        return Diagnosis(fault: "rank \(own.rank) is late: \(described(own, at: time))", ranks: [own.rank])
    }
    let others = states.filter { $0.rank != own.rank }
    let frozen = others.filter { !$0.isFinished && time - $0.written > max(freshness, 2 * interval) }
    let behind = others.filter { $0.number < own.number && !frozen.contains($0) }
    // One that is frozen, or behind and without progress, is late; one behind that works is merely slow.
    let late = frozen + behind.filter { $0.idle(at: time) >= deadline }
    // Nor is anything wrong as long as one of them has only just come to where all wait.
    if late.isEmpty, others.contains(where: { $0.idle(at: time) < deadline }) { return nil }
    guard let first = late.first else {
        return Diagnosis(fault: "every rank waits, and nothing comes: a message was lost", ranks: [])
    }
    let ranks = late.map(\.rank).sorted()
    let how = frozen.contains(first) ? ", as told \(seconds(time - first.written)) ago, and no sign of life since" : ""
    return Diagnosis(
        fault: "\(named(ranks)) \(ranks.count > 1 ? "are" : "is") late: \(described(first, at: time))\(how)",
        ranks: ranks
    )
}

/// `stage reward, phase forward, step 3, for 12.0 s without progress`.
private func described(_ state: RankState, at time: Double) -> String {
    return "\(state.place), for \(seconds(state.idle(at: time))) without progress"
}

/// Every rank's last collective, ranks with the same together: `rank 0, 2–3: barrier #7; rank 1: barrier #6 (done)`.
func lastCalls(_ states: [RankState]) -> String {
    var groups: [(call: String, ranks: [Int])] = []
    for state in states {
        let call = state.isFinished ? state.lastCall + ", left" : state.lastCall
        if let place = groups.firstIndex(where: { $0.call == call }) {
            groups[place].ranks.append(state.rank)
        } else {
            groups.append((call, [state.rank]))
        }
    }
    return groups.map { "\(named($0.ranks)): \($0.call)" }.joined(separator: "; ")
}

/// `rank 3`, `ranks 0–2, 5`; numbers ascending.
public func named(_ ranks: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for rank in ranks {
        if let last = runs.last, last.upperBound == rank - 1 {
            runs[runs.count - 1] = last.lowerBound...rank
        } else {
            runs.append(rank...rank)
        }
    }
    let parts = runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }
    return (ranks.count > 1 ? "ranks " : "rank ") + parts.joined(separator: ", ")
}

private func seconds(_ time: Double) -> String { "\((time * 10).rounded() / 10) s" }
