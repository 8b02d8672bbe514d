/// Words of time, degree and everyday doing: the joints of the sentences.
extension CorpusWords {
    static let days = list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
    static let months = list(
        "January February March April May June July August September October November December"
    )
    static let seasons = list("spring summer autumn winter")
    static let numbers = list("two three four five six seven eight nine ten eleven twelve fifteen twenty thirty fifty")
    static let durations = list("minutes hours days weeks months years weekends evenings")
    static let degrees = list(
        "very really quite truly extremely rather simply completely utterly thoroughly incredibly deeply remarkably"
    )
    static let frequencies = list("often usually always sometimes rarely mostly generally constantly regularly")
    static let filmVerbs = list(
        """
        follows meets visits finds leaves joins watches teaches hires chases helps questions remembers trusts marries
        interviews writes calls invites protects
        """
    )
    static let useVerbs = list(
        """
        use carry clean store open close fold move lift wash charge repair fill pack unpack assemble adjust hold
        turn
        """
    )
    static let errands = list(
        """
        work travel camping school guests breakfast lunch dinner holidays gardening reading cooking cleaning painting
        exercise hiking fishing studying sewing baking
        """
    )
    static let groups = list("friends classmates coworkers neighbors students grandchildren cousins teammates visitors")
    static let meals = list("breakfast lunch dinner supper coffee dessert tea")
    static let delivery = list("Monday morning afternoon evening noon midnight dawn sunset")
}
