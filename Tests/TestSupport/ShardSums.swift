package import Collectives
import Optimizers
import Tensors

/// The sum over all shards of gradients that a test double keeps as an array of `count` elements: `work(i)` gives that
/// of the i-th of this rank's shards.
package func sumOfGradients(
    count: Int,
    over shards: ShardTree,
    _ communicator: any Communicator,
    ofShard work: (Int) throws -> [Float]
) throws -> [Float] {
    let sums = Tensor(zeros: [count])
    try GradientSum(of: sums).sum(over: shards, communicator) { index in sums.copy(from: try work(index)) }
    return sums.array()
}
