import Tensors

/// A right-hand matrix of sampling's products, which have few rows.
enum SamplingMatrix {
    /// A copy in panels, to be made anew after the parameters changed.
    case packed(PackedMatrix)
    /// [outputs, inputs] as the model has it, be it in a mapped file.
    case inPlace(Tensor)

    /// y = x·B; a row of y has the same bits whatever the others.
    func multiply(_ x: Tensor, into y: Tensor) {
        switch self {
        case .packed(let matrix): Tensors.multiply(x, matrix, into: y)
        case .inPlace(let matrix): multiplyRows(x, transposed: matrix, into: y)
        }
    }
}

/// A model's weights as sampling reads them: copies, or in place where they are large.
///
/// A frozen trunk is copied once, and adapters stay apart from it: merged into its matrices, they would be rounded with
/// them in bf16, and a sample's log-probabilities would differ from those of a scoring pass. Everything else in a pass
/// works row by row or sequence by sequence, so with these weights a sequence is sampled with the same bits in any
/// batch.
struct SamplingWeights {
    /// Each block's matrices, in the order of `Block.matrices`.
    let blocks: [[SamplingMatrix]]
    /// Each block's adapters, in the same order.
    let adapters: [[PackedAdapter?]]
    /// The matrix of the vocabulary product, transposed: [D, V].
    let vocabulary: SamplingMatrix
    /// Whether the copies are of the parameters as they are.
    var isCurrent = false

    /// Room for a model's weights; `copied`: whether they are copied where they could be read in place.
    init(_ model: [Block], _ adapters: [[PackedAdapter?]], vocabulary: Tensor, copied: Bool) {
        blocks = model.map { block in
            block.matrices.map { Self.room(for: $0, transposed: block.storesOutputsFirst, copied: copied) }
        }
        self.adapters = adapters
        self.vocabulary = Self.room(for: vocabulary, transposed: true, copied: copied)
    }

    private static func room(for matrix: Tensor, transposed: Bool, copied: Bool) -> SamplingMatrix {
        // Copies of fp16 would be fp32.
        guard !transposed || (copied && matrix.elementType != .float16) else { return .inPlace(matrix) }
        let (rows, columns) = (matrix.shape[0], matrix.shape[1])
        return .packed(
            PackedMatrix(
                inner: transposed ? columns : rows,
                columns: transposed ? rows : columns,
                matrix.elementType
            )
        )
    }

    /// Makes the copies of the trunk.
    func pack(_ model: [Block], vocabulary: Tensor) {
        for (packed, block) in zip(blocks, model) {
            for (copy, matrix) in zip(packed, block.matrices) {
                if case .packed(let copy) = copy { copy.pack(matrix, transposed: block.storesOutputsFirst) }
            }
        }
        if case .packed(let copy) = self.vocabulary { copy.pack(vocabulary, transposed: true) }
    }
}

extension ModelConfiguration {
    /// With more parameters than this, weights are read in place where their layout allows it: a copy in panels makes
    /// products a quarter faster at 64 rows, and no faster at 16 or fewer.
    private static let mostCopied = 1 << 30

    /// Whether weights are copied for sampling where they could be read in place.
    fileprivate var copiesSamplingWeights: Bool {
        layers * blockMatrixElements + vocabularySize * width <= Self.mostCopied
    }

    /// Elements of the weights that are copied for sampling.
    package var copiedSamplingElements: Int {
        let matrices = layers * blockMatrixElements
        if copiesSamplingWeights { return matrices + vocabularySize * width }
        // GPT-2's matrices are [inputs, outputs], which cannot be read in place; that of its vocabulary can.
        return llama == nil ? matrices : 0
    }
}

extension LanguageModel {
    /// The weights for sampling, up to date.
    func currentSamplingWeights() -> SamplingWeights {
        var weights = samplingWeights ?? roomForSamplingWeights()
        if !weights.isCurrent {
            if frozen == nil || samplingWeights == nil { weights.pack(blocks, vocabulary: vocabularyWeight) }
            for layer in blocks.indices {
                let adapters = blockAdapters(layer: layer, LayerRows(before: 0..<0, after: 0..<0))
                for (packed, adapter) in zip(weights.adapters[layer], adapters) {
                    if let adapter = adapter.first { packed?.pack(adapter) }
                }
            }
            weights.isCurrent = true
        }
        samplingWeights = weights
        return weights
    }

    private func roomForSamplingWeights() -> SamplingWeights {
        let adapters = adapterPlaces.map { places in
            zip(places, configuration.linearLayers).map { location, layer in
                location.map { PackedAdapter(rank: $0.a.shape[0], layer, precision.elementType) }
            }
        }
        return SamplingWeights(
            blocks,
            adapters,
            vocabulary: vocabularyWeight,
            copied: configuration.copiesSamplingWeights
        )
    }
}
