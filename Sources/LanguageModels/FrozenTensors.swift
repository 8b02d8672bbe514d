package import Tensors

/// The tensors of a trunk that is never trained, by name: views of a mapped file or of another model's parameters, or
/// copies where the file has another type.
///
/// Models that are made of the same frozen tensors share them, and the memory of their passes.
package struct FrozenTensors {
    /// The blocks' matrices, that of the vocabulary product and the embeddings, of the product type or as a file has
    /// them.
    let matrices: [String: Tensor]
    /// Gains and biases, fp32.
    let vectors: [String: Tensor]
    /// Of all models over this trunk, which run one pass at a time.
    let workspace: Workspace
    /// The same for all models over this trunk.
    let identity: Identity

    /// Tells one trunk from another.
    final class Identity {}

    /// States the tensors; each of the trunk's entries must be among those that its `isMatrix` says.
    ///
    /// `precision` is that of the models over them. `sharingWorkspace`: a model of the same precision with whose passes
    /// these share memory; nil: none.
    package init(
        matrices: [String: Tensor],
        vectors: [String: Tensor],
        precision: Precision,
        sharingWorkspace model: LanguageModel? = nil
    ) {
        self.init(
            matrices: matrices,
            vectors: vectors,
            workspace: model?.workspace ?? Workspace(precision.elementType),
            identity: Identity()
        )
    }

    init(matrices: [String: Tensor], vectors: [String: Tensor], workspace: Workspace, identity: Identity) {
        self.matrices = matrices
        self.vectors = vectors
        self.workspace = workspace
        self.identity = identity
    }

    func hasMatrix(_ name: String) -> Bool { matrices[name] != nil }

    func matrix(_ name: String) -> Tensor {
        guard let tensor = matrices[name] else { preconditionFailure("no frozen matrix is named \(name)") }
        return tensor
    }

    func vector(_ name: String) -> Tensor {
        guard let tensor = vectors[name] else { preconditionFailure("no frozen vector is named \(name)") }
        return tensor
    }
}
