/// The ranks of a run, and what they do together.
///
/// Every rank calls every collective, in the same order. `allReduceSum` has the same bits on every rank, but which bits
/// depends on the number of ranks: it is for sums that are exact. Sums over shards, the same bits on any number of
/// ranks, are formed by `sumOverShards` and, of gradients, by the room `Optimizers` through `allToAllV`.
///
/// Implementations: `SoloCommunicator` (one process), `InProcessGroup` (threads, for tests), `MPICommunicator`; and
/// `WatchedCommunicator`, which watches over any of them.
/// Not `Sendable`: one thread at a time calls; another one than that which made it may take its turn.
package protocol Communicator: AnyObject {
    /// This process's number, 0 is the root.
    var rank: Int { get }
    /// How many ranks there are.
    var size: Int { get }
    /// What carries the messages, with its version.
    var transport: String { get }

    /// Replaces `values` by their sum over all ranks, the same bits on every rank.
    func allReduceSum(_ values: inout MutableSpan<Float>) throws
    /// Replaces `values` by their sum over all ranks, the same bits on every rank.
    func allReduceSum(_ values: inout [Double]) throws
    /// Replaces `values` by their maximum over all ranks.
    func allReduceMax(_ values: inout [Double]) throws
    /// Replaces `values` on every rank by the root's.
    func broadcast(_ values: inout MutableSpan<Float>) throws
    /// The root's bytes, on every rank; other ranks' argument is ignored.
    func broadcast(_ bytes: [UInt8]) throws -> [UInt8]
    /// Sends `outgoing[sends[r]]` to every rank r and receives `incoming[receives[r]]` from it, itself included.
    ///
    /// Both ends of a message must have it as long; nothing is sent where it is empty.
    func allToAllV(
        _ outgoing: Span<Float>,
        _ sends: [Range<Int>],
        into incoming: inout MutableSpan<Float>,
        _ receives: [Range<Int>]
    ) throws
    /// Every rank's bytes, in order of rank, on every rank.
    func allGather(_ bytes: [UInt8]) throws -> [[UInt8]]
    /// Waits for all ranks.
    func barrier() throws
    /// Tells what this rank does from now on, in which step (0 where there are none): a sign of life for whoever
    /// watches.
    ///
    /// Returns how a test wants the phase's numbers spoiled: nil but where a fault is injected.
    @discardableResult
    func enter(_ phase: Phase, step: Int) throws -> Spoiling?
    /// Ends every rank of the run with this exit code.
    func abort(code: Int32) -> Never
}
