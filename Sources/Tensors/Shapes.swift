import CKernels

/// Traps unless `tensor` has the shape that the kernel needs: a wrong shape is a mistake in our own code.
func expect(
    _ tensor: Tensor,
    _ shape: [Int],
    _ name: StaticString,
    function: StaticString = #function
) {
    precondition(tensor.shape == shape, "\(function): \(name) has shape \(tensor.shape), expected \(shape)")
}

/// Traps unless `tensor` holds `count` elements, in any shape.
func expect(
    _ tensor: Tensor,
    count: Int,
    _ name: StaticString,
    function: StaticString = #function
) {
    precondition(
        tensor.count == count,
        "\(function): \(name) has \(tensor.count) elements (shape \(tensor.shape)), expected \(count)"
    )
}

/// The two lengths of a matrix; traps for tensors of other ranks.
func matrix(_ tensor: Tensor, _ name: StaticString, function: StaticString = #function) -> (rows: Int, columns: Int) {
    precondition(tensor.shape.count == 2, "\(function): \(name) has shape \(tensor.shape), expected two dimensions")
    return (tensor.shape[0], tensor.shape[1])
}

/// Traps unless all `indices` are in 0..<bound.
func expect(
    _ indices: [Int32],
    below bound: Int,
    _ name: StaticString,
    function: StaticString = #function
) {
    for index in indices {
        precondition(index >= 0 && Int(index) < bound, "\(function): \(name) has \(index), expected 0..<\(bound)")
    }
}

extension ElementType {
    /// What the C kernels call this type.
    var code: Int32 {
        switch self {
        case .float32: Int32(CK_FLOAT32)
        case .bfloat16: Int32(CK_BFLOAT16)
        case .float16: Int32(CK_FLOAT16)
        }
    }
}
