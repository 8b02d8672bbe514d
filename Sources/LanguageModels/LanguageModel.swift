public import Failures
import Tensors

/// A model of the GPT-2 or the Llama family with explicit gradients.
///
/// One forward pass is recorded at a time; `backward…` follows its `forward…`, and any other pass in between discards
/// the record.
///
/// Products run in the model's precision with fp32 accumulation; the residual stream, norms, softmax, logits, losses and
/// gradients are fp32.
public final class LanguageModel {
    /// The shape.
    public let configuration: ModelConfiguration
    /// What sits on top besides the language-model head.
    public let head: Head
    /// The type of products.
    public let precision: Precision
    /// All parameters and their gradients; call `parametersDidChange()` after changing values.
    public var parameters: Parameters
    /// What `backward…` computes gradients for; of a model with a frozen trunk, the head.
    public var trainable: Trainable {
        didSet { precondition(frozen == nil || trainable == .head, "a frozen trunk is not trained") }
    }

    /// The trunk where it is frozen; `parameters` are then the head's alone.
    let frozen: FrozenTensors?
    /// The parameters in bf16, where products read them so.
    private let productCopy: Tensor?
    /// What products and everything else read.
    private let tensors: NamedTensors
    let blocks: [Block]
    /// Of rotary positions; empty without.
    let rotaryFrequencies: [Float]
    var workspace: Workspace
    var cache: KeyValueCache
    /// Made when the model first samples.
    var samplingWeights: SamplingWeights?
    var recording: Recording?

    /// A model whose parameters are all zero, for a loader to fill.
    ///
    /// bf16 needs `Precisions.hasBFloat16`; callers that take the precision from outside check it first.
    public convenience init(_ configuration: ModelConfiguration, head: Head, precision: Precision) {
        self.init(configuration, head: head, precision: precision, frozen: nil)
    }

    /// A model of a frozen trunk and a head whose parameters are all zero.
    ///
    /// The matrices must be of the product type of `precision`.
    public convenience init(
        _ configuration: ModelConfiguration,
        head: Head,
        precision: Precision,
        trunk: FrozenTensors
    ) {
        self.init(configuration, head: head, precision: precision, frozen: trunk)
    }

    private init(_ configuration: ModelConfiguration, head: Head, precision: Precision, frozen: FrozenTensors?) {
        precondition(
            configuration.llama != nil || configuration.width % configuration.heads == 0,
            "heads must divide the width"
        )
        precondition(precision == .float32 || Precisions.hasBFloat16, "this build has no bf16 products (trait OneDNN)")
        let parameters = Parameters(configuration, head: head, hasTrunk: frozen == nil)
        let copies = precision == .bfloat16 && frozen == nil
        productCopy = copies ? Tensor(zeros: [parameters.count], .bfloat16) : nil
        if let frozen {
            let headNames = head.tensorNames
            tensors = NamedTensors(matrix: frozen.matrix) { name in
                headNames.contains(name) ? parameters.tensor(name, in: parameters.values) : frozen.vector(name)
            }
        } else {
            let matrices = productCopy ?? parameters.values
            tensors = NamedTensors(parameters, matrices: matrices, vectors: parameters.values)
        }
        let tensors = tensors
        self.configuration = configuration
        self.head = head
        self.precision = precision
        self.parameters = parameters
        self.frozen = frozen
        trainable = frozen == nil ? .full : .head
        blocks = (0..<configuration.layers).map { Block(configuration, layer: $0, tensors) }
        rotaryFrequencies = configuration.llama.map { $0.rotary.frequencies(headWidth: $0.headWidth) } ?? []
        workspace = Workspace(precision.elementType)
        cache = KeyValueCache(layers: configuration.layers)
    }

    /// A model with its family's random initialisation; a value head starts at zero, a reward head at N(0, 1/D²).
    public convenience init(_ configuration: ModelConfiguration, head: Head, precision: Precision, seed: UInt64) {
        self.init(configuration, head: head, precision: precision)
        parameters.initialise(configuration, head: head, within: 0..<parameters.count, seed: seed)
        parametersDidChange()
    }

    /// This model's trunk with another, newly initialised head; shares nothing but a frozen trunk.
    public func copy(head: Head, seed: UInt64) -> LanguageModel {
        if let frozen {
            let copy = LanguageModel(configuration, head: head, precision: precision, trunk: frozen)
            copy.initialiseHead(seed: seed)
            return copy
        }
        let copy = LanguageModel(configuration, head: head, precision: precision)
        // A reward model may lack a vocabulary matrix, which comes last.
        let trunk = min(parameters.headRange.lowerBound, copy.parameters.headRange.lowerBound)
        precondition(copy.parameters.headRange.lowerBound == trunk, "a reward model has no vocabulary matrix to copy")
        copy.parameters.values.view(at: 0, shape: [trunk]).copy(from: parameters.values.view(at: 0, shape: [trunk]))
        copy.initialiseHead(seed: seed)
        return copy
    }

    /// Initialises the reward or value head anew and leaves the trunk.
    public func initialiseHead(seed: UInt64) {
        parameters.initialise(configuration, head: head, within: parameters.headRange, seed: seed)
        parametersDidChange()
    }

    /// Must follow every change of `parameters.values`: refreshes the bf16 copies that products read.
    public func parametersDidChange() {
        recording = nil
        samplingWeights?.isCurrent = false
        productCopy?.copy(from: parameters.values)
    }

    /// Whether the trunk is frozen: its tensors are then none of `parameters`.
    public var hasFrozenTrunk: Bool { frozen != nil }

    /// The part of the flat vector that training changes (a suffix).
    public var trainableRange: Range<Int> {
        trainable == .full ? 0..<parameters.count : parameters.headRange
    }

    /// Refuses token ids outside the vocabulary and sequences beyond the context; for tokens from outside the program.
    public func validate(_ sequences: PackedSequences) throws(Failure) {
        let vocabulary = Int32(configuration.vocabularySize)
        for sequence in 0..<sequences.count {
            let rows = sequences.rows(of: sequence)
            if rows.count > configuration.contextLength {
                throw Failure(
                    .badData,
                    "sequence of \(rows.count) tokens is longer than the model's context of \(configuration.contextLength)"
                )
            }
            for row in rows where sequences.tokens[row] < 0 || sequences.tokens[row] >= vocabulary {
                throw Failure(.badData, "token id \(sequences.tokens[row]) outside the vocabulary of \(vocabulary)")
            }
        }
    }

    /// A named tensor, fp32; the frozen token embedding of a Llama may be of either type.
    func value(_ name: String) -> Tensor { tensors.vector(name) }

    /// The matrix of the vocabulary product, [V, D], in the product type.
    var vocabularyWeight: Tensor { tensors.matrix(configuration.vocabularyName) }

    /// The gradient of a named parameter.
    func gradient(_ name: String) -> Tensor {
        parameters.tensor(name, in: parameters.gradients)
    }
}

/// What a backward pass needs of its forward pass, besides the workspace.
struct Recording {
    let sequences: PackedSequences
    let hidden: HiddenRows
    /// Of a pass over tokens: the token that each scored row predicts, and the temperature; nil for a pass over rewards.
    let next: (targets: [Int32], temperature: Float)?
}
