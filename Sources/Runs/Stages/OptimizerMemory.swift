import Collectives
import LanguageModels
import Optimizers
import Reporting

extension RunContext {
    /// Says what the optimizers of models keep on several ranks: 8 bytes of a trained parameter on the rank that
    /// updates it, and where ranks have fp32 weights of their slices alone, 4 bytes of those.
    func sayMoments(
        _ training: String,
        models: Int,
        _ trained: TrainableParameters,
        head: Head,
        of shape: ModelConfiguration
    )
        throws
    {
        let ranks = communicator.size
        guard ranks > 1 else { return }
        let parameters = trained.parameterCount(shape, head: head)
        let slices = configuration.run.reduction.slices(of: parameters, ranks: ranks)
        var masters: [Range<Int>] = []
        if trained == .full, slices.ranks > 1, configuration.model.precision.resolved == .bfloat16 {
            masters = Parameters.matrixRanges(of: shape, head: head)
        }
        func mebibytes(_ moments: Int, _ masters: Int) -> String {
            (Double((8 * moments + 4 * masters) * models) / Double(1 << 20)).formatted(decimals: 1)
        }
        let whole = mebibytes(parameters, masters.reduce(0) { $0 + $1.count })
        let largest = mebibytes(slices.largest, slices.largestShare(of: masters))
        let what = masters.isEmpty ? "optimizer moments" : "optimizer moments and fp32 weights"
        progress.say("\(training): \(what) of \(whole) MiB, at most \(largest) on each of \(ranks) ranks")
    }
}
