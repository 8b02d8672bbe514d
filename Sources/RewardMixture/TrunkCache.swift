import LanguageModels
import Preferences
package import Tensors

/// Keeps tensors that memory has no room for.
package protocol SpillStorage: AnyObject {
    /// Writes a tensor; returns where it is.
    func append(_ tensor: Tensor) throws -> Int
    /// Reads what was written there into a tensor of the same shape and type.
    func read(_ offset: Int, into tensor: Tensor) throws
}

/// What the trunk of reward models makes of each comparison: computed once and used by every group, epoch and
/// iteration.
///
/// The trunk is frozen, so its states never change. A comparison's are always computed by itself: in a larger batch
/// they could differ in their last bits, and results would depend on what is kept.
package final class TrunkCache {
    /// Where the states of a comparison are.
    private enum Place {
        case memory(Tensor)
        case spilled(Int)
    }

    /// By the sequences.
    private var places: [[[Int32]]: Place] = [:]
    private var bytesLeft: Int
    private let spill: (any SpillStorage)?
    /// The states of a batch, used again.
    private var batch = Tensor(zeros: [0])

    /// A cache of at most so many bytes; more goes to `spill`, or is computed again each time where that is nil.
    package init(bytes: Int, spill: (any SpillStorage)?) {
        bytesLeft = bytes
        self.spill = spill
    }

    /// Keeps nothing.
    package convenience init() { self.init(bytes: 0, spill: nil) }

    /// The states of packed comparisons, in memory that the next call uses again.
    ///
    /// `model`: any of the models over this trunk. Throws what `spill` throws.
    func states(of comparisons: ArraySlice<TokenizedComparison>, by model: LanguageModel) throws -> Tensor {
        let sequences = comparisons.map { packed([$0]) }
        let width = model.configuration.width
        let ends = sequences.reduce(into: [0]) { $0.append($0[$0.count - 1] + model.trunkStateRows(of: $1)) }
        let states = room(for: [ends[ends.count - 1], width], model.trunkStateType)
        for (index, (comparison, sequences)) in zip(comparisons, sequences).enumerated() {
            let rows = states.rows(ends[index]..<ends[index + 1])
            switch places[comparison.sequences] {
            case .memory(let kept): rows.copy(from: kept)
            case .spilled(let offset): try spill?.read(offset, into: rows)
            case nil:
                rows.copy(from: model.trunkStates(of: sequences))
                places[comparison.sequences] = try kept(rows)
            }
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

    private func room(for shape: [Int], _ elementType: ElementType) -> Tensor {
        let count = shape.reduce(1, *)
        if batch.count < count || batch.elementType != elementType {
            batch = Tensor(zeros: [max(count, batch.count * 3 / 2)], elementType)
        }
        return batch.view(at: 0, shape: shape)
    }
}
