/// Since when each rank has told what it last told, by the clock of who looks.
///
/// Neither clocks of nodes nor times of files are compared: NFS shows a file as it was up to a minute ago. A rank
/// counts its states, and shows no life where that count has stood still for long enough under the eyes of one who
/// looked all the time.
struct Sightings {
    private var last: [Int: (count: Int, since: Double)] = [:]
    private var looked = -Double.infinity

    /// Takes in what ranks told as of `time`, in seconds; after more than `gap` without a look the times begin anew.
    ///
    /// Who was asleep, as on a machine that was suspended, finds the others as they were when all fell asleep.
    mutating func look(_ states: [RankState], at time: Double, gap: Double) {
        if time - looked > gap { last = [:] }
        looked = time
        for state in states where last[state.rank]?.count != state.count { last[state.rank] = (state.count, time) }
    }

    /// For how many seconds a rank had told nothing new when it was last looked at.
    func silence(of rank: Int) -> Double { last[rank].map { looked - $0.since } ?? 0 }
}
