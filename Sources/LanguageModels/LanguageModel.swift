package import Failures
package import Tensors

/// A model of the GPT-2 or the Llama family with explicit gradients.
///
/// One forward pass is recorded at a time; `backward…` follows its `forward…`, and any other pass in between, also of a
/// model over the same frozen trunk and of a copy, discards the record.
///
/// Products run in the model's precision with fp32 accumulation, and embeddings are read in it; the residual stream,
/// norms, biases, heads, softmax, logits, losses and gradients are fp32.
package final class LanguageModel {
    /// The shape.
    package let configuration: ModelConfiguration
    /// What sits on top besides the language-model head.
    package let head: Head
    /// The type of products and embeddings.
    package let precision: Precision
    /// All parameters and their gradients; call `parametersDidChange()` after changing values.
    package var parameters: Parameters
    /// What `backward…` computes gradients for; of a model with a frozen trunk, its adapters and head, or the head
    /// alone.
    package var trainable: TrainableParameters {
        didSet {
            precondition(
                trainable == .head || trainable == (frozen == nil ? .full : adapters.map(TrainableParameters.adapters)),
                "a frozen trunk is not trained, and only one has adapters"
            )
        }
    }
    /// The adapters of a frozen trunk.
    package let adapters: AdapterSettings?

    /// The trunk where it is frozen; `parameters` are then those of adapters and head.
    let frozen: FrozenTensors?
    /// The parameters in bf16, where matrices are read so.
    package let productCopy: Tensor?
    /// Where `parameters.values` holds: nil everywhere; else this rank has of the rest the bf16 copy alone.
    ///
    /// A trainer sets it.
    package var masters: [Range<Int>]?
    /// What passes read.
    private let tensors: NamedTensors
    let blocks: [Block]
    /// Layers × linear layers of a block.
    let adapterPlaces: [[AdapterPlace?]]
    /// Of rotary positions; empty without.
    let rotaryFrequencies: [Float]
    let workspace: Workspace
    /// Tells whether another model reads the same trunk.
    let trunkIdentity: FrozenTensors.Identity
    /// Made when the model first samples.
    var samplingWeights: SamplingWeights?
    /// Whether a recorded pass keeps no more of a block than its input, and the backward pass computes the rest again
    /// (activation checkpointing, Chen et al., arXiv 1604.06174): the same bits, a third more time, and a fraction of
    /// the memory.
    package var checkpointsActivations = false
    /// While set, recorded passes drop elements of the adapters' inputs as `adapters` says (training); which ones
    /// follows from this number and, of each token, from its sequence up to it, so neither batches nor ranks matter.
    package var adapterDropoutKey: UInt64?
    /// Whether recorded passes drop something.
    var dropsInputs: Bool { adapterDropoutKey != nil && (adapters?.dropout ?? 0) > 0 }
    /// Called in backward passes through blocks: with the place in the flat gradients from which on the pass adds
    /// nothing more.
    package var gradientReady: ((Int) -> Void)?
    /// What keys and values may take where nobody says.
    package static let defaultSamplingBytes = 4 << 30
    /// What keys and values of `sample` may take; responses that it has no room for begin as others end.
    package var samplingBytes = defaultSamplingBytes
    /// Called by `sample` after each token of all active sequences: with how many have ended, of how many, and the
    /// tokens drawn so far.
    package var sampled: ((_ ended: Int, _ count: Int, _ tokens: Int) -> Void)?

    /// A model whose parameters are all zero, for a loader to fill.
    ///
    /// `sharingWorkspace`: a model of the same precision with whose passes this one's share memory; nil: none.
    package convenience init(
        _ configuration: ModelConfiguration,
        head: Head,
        precision: Precision,
        sharingWorkspace model: LanguageModel? = nil
    ) {
        self.init(
            configuration,
            head: head,
            precision: precision,
            frozen: nil,
            adapters: nil,
            workspace: model?.workspace
        )
    }

    /// A model of a frozen trunk, adapters where asked for, and a head, whose parameters are all zero.
    ///
    /// The matrices are of the type of `precision`, or as a file has them.
    package convenience init(
        _ configuration: ModelConfiguration,
        head: Head,
        precision: Precision,
        trunk: FrozenTensors,
        adapters: AdapterSettings? = nil
    ) {
        self.init(
            configuration,
            head: head,
            precision: precision,
            frozen: trunk,
            adapters: adapters,
            workspace: trunk.workspace
        )
    }

    private init(
        _ configuration: ModelConfiguration,
        head: Head,
        precision: Precision,
        frozen: FrozenTensors?,
        adapters: AdapterSettings?,
        workspace: Workspace?
    ) {
        precondition(
            configuration.llama != nil || configuration.width % configuration.heads == 0,
            "heads must divide the width"
        )
        let parameters = Parameters(
            frozen == nil
                ? Parameters.layout(configuration, head: head)
                : Parameters.layout(configuration, overFrozenTrunk: adapters, head: head),
            head: head
        )
        let copies = precision == .bfloat16 && (frozen == nil || adapters != nil)
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
        self.adapters = adapters
        trainable = frozen == nil ? .full : adapters.map(TrainableParameters.adapters) ?? .head
        adapterPlaces = Self.adapterPlaces(configuration, parameters)
        blocks = (0..<configuration.layers).map { Block(configuration, layer: $0, tensors) }
        rotaryFrequencies = configuration.llama.map { $0.rotary.frequencies(headWidth: $0.headWidth) } ?? []
        self.workspace = workspace ?? Workspace(precision.elementType)
        trunkIdentity = frozen?.identity ?? FrozenTensors.Identity()
    }

    /// A model with its family's random initialization; a value head starts at zero, a reward head at N(0, 1/D²).
    package convenience init(_ configuration: ModelConfiguration, head: Head, precision: Precision, seed: UInt64) {
        self.init(configuration, head: head, precision: precision)
        parameters.initialize(configuration, head: head, within: 0..<parameters.count, seed: seed)
        parametersDidChange()
    }

    /// This model's trunk, to be trained as `trainable` says, with another, newly initialized head.
    ///
    /// Where all is trained, the copy's weights are its own, and the trunk must not be frozen. Where adapters are
    /// trained, they are new; there and where only the head is, the trunk is shared: it must not change afterwards.
    package func copy(head: Head, trainable: TrainableParameters, seed: UInt64) -> LanguageModel {
        let adapters: AdapterSettings?
        switch trainable {
        case .full: return copy(head: head, seed: seed)
        case .head where self.adapters != nil:
            let copy = copy(head: head, seed: seed)
            copy.trainable = .head
            return copy
        case .head: adapters = nil
        case .adapters(let settings): adapters = settings
        }
        let copy = LanguageModel(
            configuration,
            head: head,
            precision: precision,
            trunk: sharedTrunk,
            adapters: adapters
        )
        copy.initializeAdapters(seed: seed)
        copy.initializeHead(seed: seed)
        return copy
    }

    /// This model's trunk, with its adapters if it has some, and another, newly initialized head; shares nothing but a
    /// frozen trunk, and the memory of passes.
    package func copy(head: Head, seed: UInt64) -> LanguageModel {
        if let frozen {
            let copy = LanguageModel(
                configuration,
                head: head,
                precision: precision,
                trunk: frozen,
                adapters: adapters
            )
            let own = parameters.headRange.lowerBound
            copy.parameters.values.view(at: 0, shape: [own]).copy(from: parameters.values.view(at: 0, shape: [own]))
            copy.initializeHead(seed: seed)
            return copy
        }
        precondition(masters == nil, "a model in training has fp32 weights of this rank's slice alone")
        let copy = LanguageModel(
            configuration,
            head: head,
            precision: precision,
            frozen: nil,
            adapters: nil,
            workspace: workspace
        )
        // A reward model may lack a vocabulary matrix, which comes last.
        let trunk = min(parameters.headRange.lowerBound, copy.parameters.headRange.lowerBound)
        precondition(copy.parameters.headRange.lowerBound == trunk, "a reward model has no vocabulary matrix to copy")
        copy.parameters.values.view(at: 0, shape: [trunk]).copy(from: parameters.values.view(at: 0, shape: [trunk]))
        copy.initializeHead(seed: seed)
        return copy
    }

    /// Initializes the reward or value head anew and leaves the trunk.
    package func initializeHead(seed: UInt64) {
        parameters.initialize(configuration, head: head, within: parameters.headRange, seed: seed)
        parametersDidChange()
    }

    /// Must follow every change of `parameters.values`: refreshes the bf16 copy.
    package func parametersDidChange() {
        workspace.recording = nil
        samplingWeights?.isCurrent = false
        guard let productCopy else { return }
        for range in masters ?? [0..<parameters.count] {
            productCopy.rows(range).copy(from: parameters.values.rows(range))
        }
    }

    /// This model's recorded pass, which is then over.
    func takeRecording() -> Recording? {
        defer { workspace.recording = nil }
        return workspace.recording.flatMap { $0.model == ObjectIdentifier(self) ? $0 : nil }
    }

    /// Whether it has the matrix of the vocabulary product: a reward model of a family with untied embeddings has none,
    /// and can neither be sampled nor tell log-probabilities.
    package var predictsTokens: Bool {
        let name = configuration.vocabularyName
        return frozen?.hasMatrix(name) ?? (parameters.entry(named: name) != nil)
    }

    /// Tokens of one unrecorded pass at most, unless one sequence is longer: bounds memory.
    lazy var inferenceTokens = ActivationMemory(configuration, precision).inferenceTokens

    /// Whether the trunk is frozen: its tensors are then none of `parameters`.
    package var hasFrozenTrunk: Bool { frozen != nil }

    /// The trunk as other models read it: frozen already, or views of this model's parameters.
    package var sharedTrunk: FrozenTensors {
        if let frozen { return frozen }
        let trunk = parameters.entries.filter { $0.offset < parameters.headRange.lowerBound }
        let (matrices, vectors) = (trunk.filter(\.isMatrix), trunk.filter { !$0.isMatrix })
        return FrozenTensors(
            matrices: Dictionary(uniqueKeysWithValues: matrices.map { ($0.name, tensors.matrix($0.name)) }),
            vectors: Dictionary(uniqueKeysWithValues: vectors.map { ($0.name, tensors.vector($0.name)) }),
            workspace: workspace,
            identity: trunkIdentity
        )
    }

    /// How many blocks the trunk has: those below the first that is trained, of which nothing is kept for a backward
    /// pass.
    package var trunkBlocks: Int {
        switch trainable {
        case .full: 0
        case .adapters(let adapters): adapters.adaptedBlocks(of: configuration).lowerBound
        case .head: configuration.layers
        }
    }

    /// The part of the flat vector that training changes (a suffix).
    package var trainableRange: Range<Int> {
        trainable == .head ? parameters.headRange : 0..<parameters.count
    }

    /// Refuses token ids outside the vocabulary and sequences beyond the context; for tokens from outside the program.
    package func validate(_ sequences: PackedSequences) throws(Failure) {
        let vocabulary = Int32(configuration.vocabularySize)
        for sequence in 0..<sequences.count {
            let length = sequences.length(of: sequence)
            if length > configuration.contextLength {
                throw Failure(
                    .badData,
                    "sequence of \(length) tokens is longer than the model's context of \(configuration.contextLength)"
                )
            }
            for row in sequences.rows(of: sequence)
            where sequences.tokens[row] < 0 || sequences.tokens[row] >= vocabulary {
                throw Failure(.badData, "token id \(sequences.tokens[row]) outside the vocabulary of \(vocabulary)")
            }
        }
    }

    /// A named gain, bias or head, fp32.
    func value(_ name: String) -> Tensor { tensors.vector(name) }

    /// A named matrix or embedding, in the product type or as a file has it.
    func matrix(_ name: String) -> Tensor { tensors.matrix(name) }

    /// The matrix of the vocabulary product, [V, D].
    var vocabularyWeight: Tensor { matrix(configuration.vocabularyName) }

    /// The gradient of a named parameter.
    func gradient(_ name: String) -> Tensor {
        parameters.tensor(name, in: parameters.gradients)
    }

    /// The gradient of a named tensor of the trunk; nil where that is not trained.
    func trunkGradient(_ name: String) -> Tensor? { trainable == .full ? gradient(name) : nil }
}

/// What a backward pass needs of its forward pass, besides the workspace.
struct Recording {
    let model: ObjectIdentifier
    let sequences: PackedSequences
    /// Packed row numbers that heads read, R of them, in ascending order.
    let rows: [Int32]
    let hidden: HiddenRows
    /// Whose adapters and heads the rows belong to.
    let runs: [ModelRun]
    /// Of a pass over tokens: the token that each scored row predicts, and the temperature; nil for a pass over
    /// rewards.
    let next: (targets: [Int32], temperature: Float)?
}
