/// What a rank last told of itself.
package struct RankState: Codable, Equatable, Sendable {
    /// Its number.
    package var rank: Int
    /// Its node.
    package var host = ""
    /// Its process.
    package var process: Int32 = 0
    /// What MPI keeps for it there.
    package var mpiFiles: [MPIFile] = []
    /// The stage of the run; empty outside.
    package var stage = ""
    /// The phase's name.
    package var phase = ""
    /// The step; 0 in phases without.
    package var step = 0
    /// How many collectives it called.
    package var number = 0
    /// The last of them, as in "allReduceSum of 12 floats".
    package var call = ""
    /// Whether it is in that one.
    package var isWaiting = false
    /// Whether it has left the run.
    package var isFinished = false
    /// Seconds without a sign of progress when this was written.
    package var idle = 0.0
    /// How many states it has told, this one included: who sees the number stand still sees no life.
    package var count = 0

    /// A rank that has done nothing yet.
    package init(rank: Int) { self.rank = rank }

    /// `stage reward, phase forward, step 3`.
    var location: String {
        let stagePart = stage.isEmpty ? "" : "stage \(stage), "
        return "\(stagePart)phase \(phase)" + (step > 0 ? ", step \(step)" : "")
    }

    /// `allReduceSum of 12 floats #57`.
    var lastCall: String { number == 0 ? "none" : "\(call) #\(number)" + (isWaiting ? "" : " (done)") }
}
