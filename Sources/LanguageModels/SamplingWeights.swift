import Tensors

/// A model's weights laid out for sampling, whose products have few rows: a copy, made anew after the parameters changed.
///
/// A frozen trunk is copied once, and adapters stay apart from it: merged into its matrices, they would be rounded with them in
/// bf16, and a sample's log-probabilities would differ from those of a scoring pass.
/// Everything else in a pass works row by row or sequence by sequence, so with these weights a sequence is sampled with the
/// same bits in any batch.
struct SamplingWeights {
    /// Each block's matrices, in the order of `Block.matrices`.
    let blocks: [[PackedMatrix]]
    /// Each block's adapters, in the same order.
    let adapters: [[PackedAdapter?]]
    /// The matrix of the vocabulary product, transposed: [D, V].
    let vocabulary: PackedMatrix
    /// Whether the copy is of the parameters as they are.
    var isCurrent = false

    /// Room for a model's weights.
    init(_ model: [Block], _ adapters: [[PackedAdapter?]], vocabulary: Tensor) {
        blocks = model.map { block in block.matrices.map { Self.room(for: $0, transposed: block.storesOutputsFirst) } }
        self.adapters = adapters
        self.vocabulary = Self.room(for: vocabulary, transposed: true)
    }

    private static func room(for matrix: Tensor, transposed: Bool) -> PackedMatrix {
        let (rows, columns) = (matrix.shape[0], matrix.shape[1])
        return PackedMatrix(
            inner: transposed ? columns : rows,
            columns: transposed ? rows : columns,
            matrix.elementType
        )
    }

    /// Copies the trunk.
    func pack(_ model: [Block], vocabulary: Tensor) {
        for (packed, block) in zip(blocks, model) {
            for (copy, matrix) in zip(packed, block.matrices) {
                copy.pack(matrix, transposed: block.storesOutputsFirst)
            }
        }
        self.vocabulary.pack(vocabulary, transposed: true)
    }
}

extension ModelConfiguration {
    /// A model with more parameters than this samples with its weights as they are: a copy would cost more than it brings.
    private static let mostPacked = 1 << 30

    /// Elements of the weights that are laid out for sampling; nil where they are too many for that.
    public var samplingWeightElements: Int? {
        let elements = layers * blockMatrixElements + vocabularySize * width
        return elements <= Self.mostPacked ? elements : nil
    }
}

extension LanguageModel {
    /// Whether a sequence is sampled with the same bits whatever batch it is in.
    public var samplesAlikeInAnyBatch: Bool { configuration.samplingWeightElements != nil }

    /// The weights for sampling, up to date; nil where the model is too large for a copy.
    func currentSamplingWeights() -> SamplingWeights? {
        guard samplesAlikeInAnyBatch else { return nil }
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
            zip(places, configuration.linearLayers).map { place, layer in
                place.map { PackedAdapter(rank: $0.a.shape[0], layer, precision.elementType) }
            }
        }
        return SamplingWeights(blocks, adapters, vocabulary: vocabularyWeight)
    }
}
