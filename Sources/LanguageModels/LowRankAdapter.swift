import Tensors

/// The low-rank update of a linear layer: y += s·(x̃·Aᵀ)·Bᵀ, s = alpha/r.
///
/// LoRA: Hu et al., arXiv 2106.09685, eq. 3. x̃ is x, or in a training pass with dropout what that leaves of x.
/// A: [r, D_in] and B: [D_out, r], as PEFT keeps them, of the product type; x: [N, D_in], y: [N, D_out]. With bf16 products
/// x·Aᵀ is summed in fp32 and rounded before it is multiplied by B, as PEFT does under autocast.
/// Of the pass's rows it changes its own: other models' adapters may have the others.
struct LowRankAdapter {
    /// Rows of x and y, N of them.
    let rows: Range<Int>
    let a: Tensor
    let b: Tensor
    /// Of A and B, fp32; asked for in a backward pass alone, since a model that is never trained has none.
    let gradients: () -> (a: Tensor, b: Tensor)
    /// s.
    let scale: Float
    /// A and B laid out for sampling.
    let packed: PackedAdapter?
    /// Of x; nil: all of it stays.
    let dropout: Dropout?
    let scratch: Scratch

    /// Memory of a pass, for all adapters.
    struct Scratch {
        /// N × r elements.
        let inner: Tensor
        /// As many in the product type; empty for fp32, which needs no copy.
        let innerProduct: Tensor
        /// N × max(D_in, D_out) elements; empty but for sampling and dropout.
        let update: Tensor
        /// x̃, N × D_in elements of the product type; empty but for dropout.
        let dropped: Tensor
    }

    /// Adds the update to the rows of y, fp32.
    func forward(_ x: Tensor, addingTo y: Tensor) {
        let (x, y) = (x.rows(rows), y.rows(rows))
        let u = innerState(input(x))
        if let packed {
            let update = scratch.update.view(at: 0, shape: y.shape)
            multiply(u, packed.b, into: update)
            addScaled(update, scale: 1, to: y)
        } else {
            multiply(u, transposed: false, b, transposed: true, into: y, accumulate: true)
        }
    }

    /// Adds to the gradients of A and B, and to dx (fp32) where it is asked for, given dy in the product type.
    ///
    /// With u = s·x̃·Aᵀ: dB = dyᵀ·u, du = s·dy·B, dA = duᵀ·x̃, dx̃ = du·A. u is computed again rather than kept: it costs r/D_out
    /// of the layer's own product.
    func backward(dy: Tensor, x: Tensor, dx: Tensor?) {
        let (dy, x) = (dy.rows(rows), x.rows(rows))
        let input = input(x)
        let gradients = gradients()
        multiply(dy, transposed: true, innerState(input), into: gradients.b, accumulate: true)
        let inner = scratch.inner.view(at: 0, shape: [x.shape[0], a.shape[0]])
        multiply(dy, b, into: inner)
        Tensors.scale(inner, by: scale)
        let du = inProductType(inner, scratch.innerProduct)
        multiply(du, transposed: true, input, into: gradients.a, accumulate: true)
        guard let dx = dx?.rows(rows) else { return }
        if let dropout {
            let dInput = scratch.update.view(at: 0, shape: dx.shape)
            multiply(du, a, into: dInput)
            dropout.backward(dy: dInput, addingTo: dx)
        } else {
            multiply(du, a, into: dx, accumulate: true)
        }
    }

    /// x̃.
    private func input(_ x: Tensor) -> Tensor {
        guard let dropout else { return x }
        let kept = scratch.dropped.view(at: 0, shape: x.shape)
        dropout.forward(x, into: kept)
        return kept
    }

    /// u = s·x·Aᵀ, [N, r], in the product type.
    private func innerState(_ x: Tensor) -> Tensor {
        let inner = scratch.inner.view(at: 0, shape: [x.shape[0], a.shape[0]])
        if let packed {
            multiply(x, packed.a, into: inner)
        } else {
            multiply(x, transposed: false, a, transposed: true, into: inner)
        }
        Tensors.scale(inner, by: scale)
        return inProductType(inner, scratch.innerProduct)
    }
}

/// An adapter's matrices laid out for sampling, transposed: [D_in, r] and [r, D_out].
struct PackedAdapter {
    let a: PackedMatrix
    let b: PackedMatrix

    init(rank: Int, _ layer: LinearLayer, _ elementType: ElementType) {
        a = PackedMatrix(inner: layer.inputs, columns: rank, elementType)
        b = PackedMatrix(inner: rank, columns: layer.outputs, elementType)
    }

    /// Copies the matrices.
    func pack(_ adapter: LowRankAdapter) {
        a.pack(adapter.a, transposed: true)
        b.pack(adapter.b, transposed: true)
    }
}
