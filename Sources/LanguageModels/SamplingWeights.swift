import Tensors

/// A model's weights laid out for sampling, whose products have few rows: a copy, made anew after the parameters changed.
///
/// Everything else in a pass works row by row or sequence by sequence, so with these weights a sequence is sampled with the
/// same bits in any batch.
struct SamplingWeights {
    /// One block's matrices.
    struct Block {
        let qkv: PackedMatrix
        let attentionProjection: PackedMatrix
        let inner: PackedMatrix
        let outer: PackedMatrix
    }

    let blocks: [Block]
    /// The token embedding, transposed: [D, V].
    let vocabulary: PackedMatrix
    /// Whether the copy is of the parameters as they are.
    var isCurrent = false

    /// Room for a model's weights.
    init(_ configuration: ModelConfiguration, _ elementType: ElementType) {
        let (width, innerWidth) = (configuration.width, configuration.innerWidth)
        blocks = (0..<configuration.layers).map { _ in
            Block(
                qkv: PackedMatrix(inner: width, columns: 3 * width, elementType),
                attentionProjection: PackedMatrix(inner: width, columns: width, elementType),
                inner: PackedMatrix(inner: width, columns: innerWidth, elementType),
                outer: PackedMatrix(inner: innerWidth, columns: width, elementType)
            )
        }
        vocabulary = PackedMatrix(inner: width, columns: configuration.vocabularySize, elementType)
    }

    /// Copies the weights.
    func pack(_ weights: [BlockTensors], tokenEmbedding: Tensor) {
        for (block, weights) in zip(blocks, weights) {
            block.qkv.pack(weights.qkvWeight)
            block.attentionProjection.pack(weights.attentionProjectionWeight)
            block.inner.pack(weights.innerWeight)
            block.outer.pack(weights.outerWeight)
        }
        vocabulary.pack(tokenEmbedding, transposed: true)
    }
}

/// A model with more parameters than this samples with its weights as they are: a copy would cost more than it brings.
private let mostPacked = 1 << 30

extension LanguageModel {
    /// Whether a sequence is sampled with the same bits whatever batch it is in.
    public var samplesAlikeInAnyBatch: Bool { parameters.count <= mostPacked }

    /// The weights for sampling, up to date; nil where the model is too large for a copy.
    func currentSamplingWeights() -> SamplingWeights? {
        guard samplesAlikeInAnyBatch else { return nil }
        var weights = samplingWeights ?? SamplingWeights(configuration, productParameters.elementType)
        if !weights.isCurrent {
            weights.pack(
                blocks,
                tokenEmbedding: parameters.tensor("transformer.wte.weight", in: productParameters)
            )
            weights.isCurrent = true
        }
        samplingWeights = weights
        return weights
    }
}

/// y = x·W, through the packed copy of W where there is one.
func multiply(_ x: Tensor, _ weight: Tensor, packed: PackedMatrix?, into y: Tensor) {
    if let packed {
        multiply(x, packed, into: y)
    } else {
        multiply(x, weight, into: y)
    }
}
