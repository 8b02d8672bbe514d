import LanguageModels
package import Tensors

/// Keeps tensors that memory has no room for.
package protocol SpillStorage: AnyObject {
    /// Writes a tensor; returns where it is.
    func append(_ tensor: Tensor) throws -> Int
    /// Reads what was written there into a tensor of the same shape and type.
    func read(_ offset: Int, into tensor: Tensor) throws
}

/// What the trunk of reward models makes of each sequence: computed once and used by every comparison that it is in,
/// and every group, epoch and iteration.
///
/// The trunk is frozen, so its states never change. A sequence's are always computed by itself: in a larger batch they
/// could differ in their last bits, and results would depend on what is kept.
package final class TrunkCache {
    /// Where the states of a sequence are.
    private enum Place {
        case memory(Tensor)
        case spilled(Int)
    }

    private var places: [[Int32]: Place] = [:]
    private var bytesLeft: Int
    private let spill: (any SpillStorage)?
    /// The states of a batch, and of a spilled sequence; used again.
    private var batch = Tensor(zeros: [0])
    private var spilled = Tensor(zeros: [0])

    /// A cache of at most so many bytes; more goes to `spill`, or is computed again each time where that is nil.
    package init(bytes: Int, spill: (any SpillStorage)?) {
        bytesLeft = bytes
        self.spill = spill
    }

    /// Keeps nothing.
    package convenience init() { self.init(bytes: 0, spill: nil) }

    /// The states of packed sequences, in memory that the next call uses again.
    ///
    /// `model`: any of the models over this trunk. Throws what `spill` throws.
    func states(of sequences: PackedSequences, by model: LanguageModel) throws -> Tensor {
        let width = model.configuration.width
        let shape = [model.trunkStateRows(of: sequences), width]
        let states = room(for: shape, model.trunkStateType, in: &batch)
        var end = 0
        for sequence in sequences.indices {
            let tokens = sequences[sequence]
            let alone = PackedSequences([tokens])
            let rows = model.trunkStateRows(of: alone)
            let all: Tensor
            switch places[tokens] {
            case .memory(let kept): all = kept
            case .spilled(let number):
                all = room(for: [rows, width], model.trunkStateType, in: &spilled)
                try spill?.read(number, into: all)
            case nil:
                all = model.trunkStates(of: alone)
                places[tokens] = try kept(all)
            }
            // The last rows are those of the sequence's own tokens: others have the rows of what it shares.
            let own = min(rows, sequences.rows(of: sequence).count)
            states.rows(end..<end + own).copy(from: all.rows(rows - own..<rows))
            end += own
        }
        return states
    }

    private func kept(_ states: Tensor) throws -> Place? {
        let bytes = states.count * states.elementType.size
        if bytes <= bytesLeft {
            bytesLeft -= bytes
            return .memory(states.copied())
        }
        return try spill.map { .spilled(try $0.append(states)) }
    }
}

/// A tensor in memory that grows where it has to.
private func room(for shape: [Int], _ elementType: ElementType, in memory: inout Tensor) -> Tensor {
    let count = shape.reduce(1, *)
    if memory.count < count || memory.elementType != elementType {
        memory = Tensor(zeros: [count], elementType)
    }
    return memory.view(at: 0, shape: shape)
}
