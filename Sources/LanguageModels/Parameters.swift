package import Tensors

/// Named tensors laid end to end in one flat float32 vector, trunk first, head last; gradients in a second one.
package struct Parameters {
    /// One named tensor of the flat vector.
    package struct Entry: Equatable, Sendable {
        /// Hugging Face name, as `transformer.h.0.attn.c_attn.weight`, `score.weight`.
        package let name: String
        /// Lengths of the dimensions; a product's weight is [inputs, outputs] with GPT-2 (`Conv1D`), else [outputs,
        /// inputs].
        package let shape: [Int]
        /// Where the tensor starts in the flat vector.
        package let offset: Int
        /// Whether AdamW's weight decay applies: matrices, embeddings and heads yes; biases, norms no.
        package let decays: Bool
        /// Whether passes read it in the type of products: matrices and embeddings yes; biases, norms and heads no
        /// (fp32).
        package let isMatrix: Bool

        /// How many elements there are.
        package var count: Int { shape.reduce(1, *) }
        /// The part of the flat vector that it covers.
        package var range: Range<Int> { offset..<(offset + count) }
    }

    /// Every tensor, in order of offset.
    package let entries: [Entry]
    /// [P] float32.
    package let values: Tensor
    /// [P] float32; may be replaced by a slice of a larger vector, so that several models' gradients travel together.
    ///
    /// Made when first asked for: a model that is never trained has none.
    package var gradients: Tensor {
        get { ownGradients.tensor }
        set { ownGradients = LazyZeros(newValue) }
    }

    private var ownGradients: LazyZeros
    private let entryIndex: [String: Int]
    private let headName: String?

    /// Zeros of a layout, which ends in the tensors of `head`.
    package init(_ entries: [Entry], head: Head) {
        self.entries = entries
        let count = entries.last.map(\.range.upperBound) ?? 0
        values = Tensor(zeros: [count])
        ownGradients = LazyZeros(count: count)
        headName = head.tensorNames.first
        entryIndex = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
    }

    /// P, the number of parameters.
    package var count: Int { values.count }

    /// The flat range of the reward or value head; empty at the end without one.
    package var headRange: Range<Int> {
        let start = headName.flatMap(entry)?.offset ?? count
        return start..<count
    }

    /// The entry of that name, if there is one.
    package func entry(named name: String) -> Entry? {
        entryIndex[name].map { entries[$0] }
    }

    /// Where the tensors whose names begin with `prefix` start; nil where there are none.
    func start(ofPrefix prefix: String) -> Int? { entries.first { $0.name.hasPrefix(prefix) }?.offset }

    /// The flat ranges inside `range` that weight decay applies to, joined where they touch, counted from its start.
    package func decayingRanges(within range: Range<Int>) -> [Range<Int>] {
        let start = range.lowerBound
        let decaying = entries.filter { $0.decays && range.contains($0.offset) }
        return joined(decaying.map { $0.offset - start..<$0.offset - start + $0.count })
    }

    /// The flat ranges of a model's matrices and embeddings, joined where they touch.
    package static func matrixRanges(of configuration: ModelConfiguration, head: Head) -> [Range<Int>] {
        joined(layout(configuration, head: head).filter(\.isMatrix).map(\.range))
    }

    /// The part of a flat vector of P elements that belongs to a named tensor, in its shape: a view.
    func tensor(_ name: String, in flat: Tensor) -> Tensor {
        guard let entry = entry(named: name) else { preconditionFailure("no parameter is named \(name)") }
        return flat.view(at: entry.offset, shape: entry.shape)
    }

    /// The tensors of a model, in order: embeddings, blocks, final norm, vocabulary matrix, head.
    package static func layout(_ configuration: ModelConfiguration, head: Head) -> [Entry] {
        let d = configuration.width
        var shapes: [(String, [Int])] = [(configuration.tokenEmbeddingName, [configuration.vocabularySize, d])]
        switch configuration.family {
        case .gpt2:
            shapes.append(("transformer.wpe.weight", [configuration.positions, d]))
            for layer in 0..<configuration.layers { shapes += GPT2Tensors.shapes(configuration, layer: layer) }
            shapes += [("transformer.ln_f.weight", [d]), ("transformer.ln_f.bias", [d])]
        case .llama(let llama):
            for layer in 0..<configuration.layers { shapes += LlamaTensors.shapes(configuration, llama, layer: layer) }
            shapes.append(("model.norm.weight", [d]))
            // A reward model never asks for the next token.
            if !llama.tiesEmbeddings && head.rewardCount == 0 {
                shapes.append(("lm_head.weight", [configuration.vocabularySize, d]))
            }
        }
        return endToEnd(shapes, headShapes(configuration, head))
    }

    /// What a model over a frozen trunk has of its own, in order: adapters, if it has some, then the head.
    package static func layout(
        _ configuration: ModelConfiguration,
        overFrozenTrunk adapters: AdapterSettings?,
        head: Head
    ) -> [Entry] {
        endToEnd(adapters?.shapes(configuration) ?? [], headShapes(configuration, head))
    }

    private static func headShapes(_ configuration: ModelConfiguration, _ head: Head) -> [(String, [Int])] {
        let d = configuration.width
        return switch head {
        case .none: []
        case .rewards(let count): [("score.weight", [count, d])]
        case .values(let count): [("value.weight", [count, d]), ("value.bias", [count])]
        }
    }

    private static func endToEnd(_ body: [(String, [Int])], _ head: [(String, [Int])]) -> [Entry] {
        var entries: [Entry] = []
        var offset = 0
        for ((name, shape), isHead) in body.map({ ($0, false) }) + head.map({ ($0, true) }) {
            let decays = shape.count > 1
            entries.append(
                Entry(name: name, shape: shape, offset: offset, decays: decays, isMatrix: decays && !isHead)
            )
            offset += shape.reduce(1, *)
        }
        return entries
    }
}

/// A vector of zeros that takes no memory before it is asked for.
private final class LazyZeros {
    private let count: Int
    private var made: Tensor?

    init(count: Int) { self.count = count }

    init(_ tensor: Tensor) {
        count = tensor.count
        made = tensor
    }

    var tensor: Tensor {
        if let made { return made }
        let zeros = Tensor(zeros: [count])
        made = zeros
        return zeros
    }
}
