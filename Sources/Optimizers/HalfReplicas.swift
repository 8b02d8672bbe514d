public import Tensors

/// What ranks have of parameters that others update, where it is less than the parameters themselves.
public struct HalfReplicas {
    /// bfloat16, as long as the parameters: theirs, rounded.
    public let copy: Tensor
    /// The ranges of which other ranks need the copy alone, in order.
    public let ranges: [Range<Int>]

    /// States the copy, and where it is enough.
    public init(copy: Tensor, ranges: [Range<Int>]) {
        self.copy = copy
        self.ranges = ranges
    }
}
