import Randomness

/// The two things that people review here.
enum Subject: String, Sendable, CaseIterable { case film, product }

/// How a review starts: an opening that leaves the judgement open, and the symbol that ends its sentence.
struct Opening: Sendable {
    let template: Template
    let continuation: String

    init(_ template: String, then continuation: String) {
        self.template = Template(template)
        self.continuation = continuation
    }
}

/// The rules of the embedded corpus.
///
/// A slot names, in this order: the review's own `kind`; a judging list (one for each side); a list of words; or a
/// symbol of rules. Judging symbols express exactly one side, and as many words for good as for bad, so that sentiment
/// and length stay independent.
enum ReviewGrammar {
    static let openings: [Subject: [Opening]] = [
        .film: [
            Opening("the {kind} was", then: "wasJudged"),
            Opening("the {filmPart} of this {kind} was", then: "wasJudged"),
            Opening("this {kind} about {topic} is", then: "wasJudged"),
            Opening("this {neutral} {kind} about a {filmRole} is", then: "wasJudged"),
            Opening("I watched this {kind} with", then: "companyThenVerdict"),
            Opening("we saw the {neutral} {kind} in", then: "placeThenVerdict"),
            Opening("{firstName} took me to see this {kind} and", then: "verdict"),
            Opening("my {relative} and I watched this {kind}", then: "whenThenVerdict"),
            Opening("I rented the {kind} about {topic} and", then: "verdict"),
            Opening("in this {kind} the {filmRole}", then: "filmDoingThenVerdict"),
            Opening("after {number} {duration} I saw the {kind} again and", then: "verdict"),
        ],
        .product: [
            Opening("the {kind} was", then: "wasJudged"),
            Opening("the {productPart} of this {kind} is", then: "wasJudged"),
            Opening("this {neutral} {kind} from {brand} is", then: "wasJudged"),
            Opening("I bought this {kind} for", then: "purposeThenVerdict"),
            Opening("my {relative} bought this {neutral} {kind}", then: "whenThenVerdict"),
            Opening("after {number} {duration} with this {kind} I", then: "selfJudged"),
            Opening("the {kind} arrived", then: "whenThenVerdict"),
            Opening("we {useVerb} the {kind} in the {place} and", then: "verdict"),
            Opening("I gave the {kind} to my {relative} and", then: "verdict"),
            Opening("{firstName} told me about this {kind} and", then: "verdict"),
        ],
    ]

    /// Words that judge, for either side.
    static let judging: [String: (good: [String], bad: [String])] = [
        "adjective": (CorpusWords.goodAdjectives, CorpusWords.badAdjectives),
        "noun": (CorpusWords.goodNouns, CorpusWords.badNouns),
        "verb": (CorpusWords.goodVerbs, CorpusWords.badVerbs),
        "manner": (CorpusWords.goodManner, CorpusWords.badManner),
        "mood": (CorpusWords.goodMoods, CorpusWords.badMoods),
    ]

    /// Words that take no side.
    static let words: [String: [String]] = [
        "filmPart": CorpusWords.filmParts, "filmRole": CorpusWords.filmRoles, "filmVerb": CorpusWords.filmVerbs,
        "topic": CorpusWords.topics, "productPart": CorpusWords.productParts, "brand": CorpusWords.brands,
        "place": CorpusWords.places, "city": CorpusWords.cities, "firstName": CorpusWords.firstNames,
        "lastName": CorpusWords.lastNames, "relative": CorpusWords.relatives, "neutral": CorpusWords.neutralAdjectives,
        "day": CorpusWords.days, "month": CorpusWords.months, "season": CorpusWords.seasons,
        "number": CorpusWords.numbers, "duration": CorpusWords.durations, "degree": CorpusWords.degrees,
        "frequency": CorpusWords.frequencies, "useVerb": CorpusWords.useVerbs, "errand": CorpusWords.errands,
        "group": CorpusWords.groups, "meal": CorpusWords.meals, "delivery": CorpusWords.delivery,
    ]

    /// The kinds that a review of a subject picks its one `kind` from.
    static let kinds: [Subject: [String]] = [.film: CorpusWords.filmKinds, .product: CorpusWords.products]

    /// The end of the first sentence and parts of sentences, for both subjects; `{part}` is one of the subject's parts.
    static let shared: [String: [Template]] = [
        "wasJudged": [
            "{degree} {adjective}.", "{adjective} and {adjective}.", "a {adjective} {noun}.",
            "{adjective}, and I {verb} it.", "{degree} {adjective} and {manner} made.",
        ],
        "selfJudged": [
            "am {degree} {mood}.", "{verb} the {part}.", "am {mood} and {mood}.",
            "find the {part} {degree} {adjective}.",
        ],
        "verdict": [
            "I {verb} it.", "it was {degree} {adjective}.", "I was {degree} {mood}.", "the {part} was {adjective}.",
            "we {verb} the {part}.", "it was a {adjective} {noun}.", "everyone was {mood}.",
        ],
        "companyThenVerdict": [
            "my {relative} and {verdict}", "{number} {group} and {verdict}", "{firstName} and {verdict}",
        ],
        "placeThenVerdict": ["{city} and {verdict}", "{month} and {verdict}", "a {neutral} {place} and {verdict}"],
        "purposeThenVerdict": ["{errand} and {verdict}", "my {relative} and {verdict}", "the {place} and {verdict}"],
        "whenThenVerdict": ["on {day} and {verdict}", "last {season} and {verdict}", "before {meal} and {verdict}"],
        "filmDoingThenVerdict": [
            "{filmVerb} a {filmRole}, and {verdict}", "{filmVerb} a {neutral} {filmRole}, and {verdict}",
        ],
        "closing": [
            "what a {adjective} {kind}.", "overall it is a {adjective} {noun}.", "I {verb} it.",
            "I am {degree} {mood}.",
            "a {degree} {adjective} {kind}.", "in the end we were {mood}.",
        ],
    ].mapValues { $0.map(Template.init) }

    /// Sentences of the middle that judge.
    static let judgingSentences: [Subject: [Template]] = [
        .film: [
            "the {filmPart} is {adjective} and the {filmPart} is {adjective}.",
            "the {filmRole} is {manner} played by {firstName} {lastName}.",
            "{firstName} {lastName} wrote a {adjective} {filmPart}.",
            "my {relative} {verb} the {filmPart}.",
            "the {neutral} {filmRole} gives a {adjective} performance.",
            "the {filmPart} was {manner} done.",
            "I {verb} the {filmPart} by {lastName}.",
            "the {topic} scenes were a {noun}.",
        ].map(Template.init),
        .product: [
            "the {productPart} is {adjective} and the {productPart} is {adjective}.",
            "it was {manner} made and {degree} {adjective}.",
            "the {neutral} {productPart} was {manner} designed.",
            "my {relative} {verb} the {productPart}.",
            "for {errand} it is {adjective}.",
            "the {productPart} turned out to be a {noun}.",
            "my {group} were {mood} with it.",
            "it works {manner} in the {place}.",
        ].map(Template.init),
    ]

    /// Sentences of the middle that take no side.
    static let neutralSentences: [Subject: [Template]] = [
        .film: [
            "it was filmed in {city} in {month}.", "{firstName} {lastName} plays the {neutral} {filmRole}.",
            "the {filmRole} {filmVerb} a {filmRole} in {city}.", "we watched it on {day} after {meal}.",
            "it lasts about {number} minutes.", "the {filmRole} {frequency} {filmVerb} the {neutral} {filmRole}.",
            "it is the {neutral} {kind} by {firstName} {lastName}.", "we talked about {topic} on the way to {city}.",
        ].map(Template.init),
        .product: [
            "I {frequency} {useVerb} it in the {place}.", "it came in a {neutral} box from {city}.",
            "we keep it in the {place} with the {neutral} {product}.", "{brand} makes it in {city}.",
            "my {relative} has a {neutral} one.", "we {useVerb} it for {errand} with {group}.",
            "it arrived on {day} at {delivery}.", "it is {number} inches long and {neutral}.",
        ].map(Template.init),
    ]
}
