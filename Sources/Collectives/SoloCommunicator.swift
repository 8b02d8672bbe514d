import Foundation

/// One process by itself: every collective is complete at once.
package final class SoloCommunicator: Communicator {
    /// The communicator of a run on one rank.
    package init() {}

    /// Always 0.
    package var rank: Int { 0 }
    /// Always 1.
    package var size: Int { 1 }
    /// There are no messages.
    package var transport: String { "none" }

    /// Leaves `values` as they are: their own sum.
    package func allReduceSum(_ values: inout MutableSpan<Float>) {}
    /// Leaves `values` as they are: their own sum.
    package func allReduceSum(_ values: inout [Double]) {}
    /// Leaves `values` as they are: their own maximum.
    package func allReduceMax(_ values: inout [Double]) {}
    /// Leaves `values` as they are: this is the root.
    package func broadcast(_ values: inout MutableSpan<Float>) {}
    /// Returns `bytes`: this is the root.
    package func broadcast(_ bytes: [UInt8]) -> [UInt8] { bytes }
    /// Copies what the only rank sends to itself.
    package func allToAllV(
        _ outgoing: Span<Float>,
        _ sends: [Range<Int>],
        into incoming: inout MutableSpan<Float>,
        _ receives: [Range<Int>]
    ) {
        precondition(sends[0].count == receives[0].count, "a message is as long at both ends")
        for (source, target) in zip(sends[0], receives[0]) { incoming[target] = outgoing[source] }
    }
    /// Returns `bytes` as the only rank's.
    package func allGather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }
    /// Returns at once.
    package func barrier() {}
    /// Ends the process with this exit code.
    package func abort(code: Int32) -> Never { exit(code) }
}
