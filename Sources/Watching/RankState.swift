/// What a rank last told of itself.
public struct RankState: Codable, Equatable, Sendable {
    /// Its number.
    public var rank: Int
    /// Its node.
    public var host = ""
    /// Its process.
    public var process: Int32 = 0
    /// What MPI keeps for it there.
    public var mpiFiles: [MPIFile] = []
    /// The stage of the run; empty outside.
    public var stage = ""
    /// The phase's name.
    public var phase = ""
    /// The step; 0 in phases without.
    public var step = 0
    /// How many collectives it called.
    public var number = 0
    /// The last of them, as in "allReduceSum of 12 floats".
    public var call = ""
    /// Whether it is in that one.
    public var isWaiting = false
    /// Whether it has left the run.
    public var isFinished = false
    /// Seconds without a sign of progress when this was written.
    public var idle = 0.0
    /// How many states it has told, this one included: who sees the number stand still sees no life.
    public var count = 0

    /// A rank that has done nothing yet.
    public init(rank: Int) { self.rank = rank }

    /// `stage reward, phase forward, step 3`.
    var place: String {
        let stagePart = stage.isEmpty ? "" : "stage \(stage), "
        return "\(stagePart)phase \(phase)" + (step > 0 ? ", step \(step)" : "")
    }

    /// `allReduceSum of 12 floats #57`.
    var lastCall: String { number == 0 ? "none" : "\(call) #\(number)" + (isWaiting ? "" : " (done)") }
}
