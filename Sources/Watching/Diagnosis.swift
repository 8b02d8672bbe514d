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

/// That a rank which waits for nobody is out of time.
func ownLateness(_ own: RankState, deadline: Double) -> Diagnosis {
    late([own], "rank \(own.rank) is late: \(described(own, silence: 0))", deadline: deadline)
}

private func late(_ ranks: [RankState], _ fault: String, deadline: Double) -> Diagnosis {
    Diagnosis(fault: "\(fault) (deadline \(deadline) s)", ranks: ranks.map(\.rank).sorted())
}

/// Who holds up a rank that waits and is out of time; nil while a rank that it waits for makes progress.
///
/// - Parameters:
///   - sightings: of those states.
///   - lag: seconds without a new state after which a rank is frozen or gone.
func lateRanks(
    _ states: [RankState],
    seenBy own: RankState,
    deadline: Double,
    _ sightings: Sightings,
    lag: Double
) -> Diagnosis? {
    let others = states.filter { $0.rank != own.rank }
    let frozen = others.filter { !$0.isFinished && sightings.silence(of: $0.rank) > lag }
    let behind = others.filter { $0.number < own.number && !frozen.contains($0) }
    // One that is frozen, or behind and without progress, is late; one behind that works is merely slow.
    let blamed = frozen + behind.filter { $0.idle >= deadline }
    // Nor is anything wrong as long as one of them has only just come to where all wait.
    if blamed.isEmpty, others.contains(where: { $0.idle < deadline }) { return nil }
    guard let first = blamed.first else {
        return late([], "every rank waits, and nothing comes: a message was lost", deadline: deadline)
    }
    let silence = sightings.silence(of: first.rank)
    let how = frozen.contains(first) ? ", and no sign of life for \(seconds(silence))" : ""
    let who = "\(named(blamed.map(\.rank).sorted())) \(blamed.count > 1 ? "are" : "is") late"
    return late(blamed, "\(who): \(described(first, silence: silence))\(how)", deadline: deadline)
}

/// `stage reward, phase forward, step 3, for 12.0 s without progress`.
private func described(_ state: RankState, silence: Double) -> String {
    "\(state.location), for \(seconds(state.idle + silence)) without progress"
}

/// Every rank's last collective, ranks with the same together: `rank 0, 2–3: barrier #7; rank 1: barrier #6 (done)`.
func lastCalls(_ states: [RankState]) -> String {
    var groups: [(call: String, ranks: [Int])] = []
    for state in states {
        let call = state.isFinished ? state.lastCall + ", left" : state.lastCall
        if let location = groups.firstIndex(where: { $0.call == call }) {
            groups[location].ranks.append(state.rank)
        } else {
            groups.append((call, [state.rank]))
        }
    }
    return groups.map { "\(named($0.ranks)): \($0.call)" }.joined(separator: "; ")
}

/// `rank 3`, `ranks 0–2, 5`; numbers ascending.
package func named(_ ranks: [Int]) -> String {
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
