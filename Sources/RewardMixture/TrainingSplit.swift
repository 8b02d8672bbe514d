import Preferences

/// Which of a user's comparisons gradients come from.
enum TrainingSplit {
    /// While EM runs: the E-step must read comparisons that no model was fitted to.
    case fit
    /// After it: groups are settled, and `assign` comparisons teach as well as any.
    case fitAndAssign

    /// The comparisons of one user, `fit` first.
    func comparisons(of user: ShardedUser) -> [TokenizedComparison] {
        switch self {
        case .fit: user.comparisons(\.fit)
        case .fitAndAssign: user.comparisons(\.fit) + user.comparisons(\.assign)
        }
    }

    /// How many they are.
    func count(of user: UserInfo) -> Double {
        switch self {
        case .fit: user.fitCount
        case .fitAndAssign: user.fitCount + user.assignCount
        }
    }
}
