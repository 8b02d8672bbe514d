import Collectives
import Failures
import LanguageModels
import Optimizers
import Randomness
import Tensors
import Watching

extension RunContext {
    /// Called on every rank after each update: every `run.replica_check_steps` steps all ranks compare a hash of their
    /// weights, which must be equal to the bit.
    ///
    /// - Throws: `Failure` 70 on every rank, naming those that hold other weights than most.
    func checkReplicas(_ weights: [Tensor], step: Int) throws {
        if let first = weights.first { try communicator.enter(.optimizer, step: step, with: first) }
        let every = configuration.run.replicaCheckSteps
        if every > 0, step % every == 0 { try compareReplicas(weights, step: step) }
    }

    /// Called on every rank before weights or a checkpoint are written, so that none are kept that nothing could go on
    /// from.
    ///
    /// They must be the same on all ranks, since each may write a part, and hold no number that is not finite. `parts`
    /// are what this rank alone holds.
    ///
    /// - Throws: `Failure` 70 on every rank.
    func requireGood(_ weights: [Tensor], parts: [Tensor] = [], step: Int) throws {
        let isFinite = (weights + parts).allSatisfy { nonFiniteCount($0) == 0 }
        try requireFinite(isFinite, "weights or moments", step: step)
        try compareReplicas(weights, step: step)
    }

    /// Called on every rank before a language model is written: weights that are finite may still give logits that are
    /// not.
    ///
    /// - Throws: `Failure` 70 on every rank.
    func requireFiniteLogits(of model: LanguageModel, after prompts: [[Int32]], step: Int) throws {
        try requireFinite(model.hasFiniteLogits(after: prompts), "the trained model's logits", step: step)
    }

    /// Refuses to save where something is not finite on any rank.
    private func requireFinite(_ isFinite: Bool, _ what: String, step: Int) throws {
        var broken = [isFinite ? 0.0 : 1]
        try communicator.allReduceMax(&broken)
        guard broken[0] == 0 else {
            throw Failure(
                .internalError,
                "\(what) are not finite at step \(step); nothing is saved: lower the learning rate",
                at: "saving"
            )
        }
    }

    private func compareReplicas(_ weights: [Tensor], step: Int) throws {
        guard communicator.size > 1 else { return }
        let own = weights.flatMap { bytes(of: hash(of: $0)) }
        guard let difference = differentReplicas(try communicator.allGather(own)) else { return }
        throw Failure(
            .internalError,
            "\(difference) at step \(step): a fault of memory, processor or network; leave out that node and start "
                + "from the "
                + "last good checkpoint",
            at: "replica check"
        )
    }
}

/// Which ranks' hashes differ from most others'; nil where all are equal.
///
/// Where no hash has a majority, every rank's is told.
func differentReplicas(_ hashes: [[UInt8]]) -> String? {
    var holders: [[UInt8]: [Int]] = [:]
    for (rank, hash) in hashes.enumerated() { holders[hash, default: []].append(rank) }
    guard holders.count > 1 else { return nil }
    if let majority = holders.first(where: { 2 * $0.value.count > hashes.count }) {
        let odd = hashes.indices.filter { hashes[$0] != majority.key }
        return "the weights of \(named(odd)) differ from those of the other ranks"
    }
    let all = hashes.enumerated().map { rank, hash in "rank \(rank) \(hexadecimal(hash))" }
    return "no majority of ranks has the same weights (hashes: \(all.joined(separator: ", ")))"
}

private func bytes(of word: UInt64) -> [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> $0) }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
