/// Words that say whether the writer liked it; no word stands in a positive and a negative list, nor in a neutral one.
extension CorpusWords {
    static let goodAdjectives = list(
        """
        excellent wonderful superb delightful charming brilliant beautiful lovely fantastic marvelous splendid terrific
        amazing stunning gorgeous elegant graceful clever witty inspired thrilling gripping touching moving uplifting
        heartwarming refreshing satisfying rewarding enjoyable pleasant likable lovable memorable unforgettable
        outstanding exceptional remarkable impressive magnificent glorious exquisite flawless perfect masterful polished
        crisp vibrant radiant joyful cheerful funny hilarious engaging absorbing captivating enchanting magical dazzling
        powerful sincere tender thoughtful generous warm sturdy reliable dependable durable comfortable handy precise
        superior fabulous great good fine
        """
    )
    static let badAdjectives = list(
        """
        awful terrible horrible dreadful dismal dull boring tedious tiresome bland stale lifeless lazy clumsy sloppy
        shoddy flimsy fragile useless worthless pointless senseless mindless stupid silly ridiculous absurd laughable
        pathetic pitiful miserable depressing annoying irritating infuriating frustrating disappointing unpleasant ugly
        hideous grim ghastly atrocious abysmal appalling lousy crummy cheesy corny pretentious shallow hollow
        forgettable predictable unconvincing incoherent confusing muddled messy broken faulty defective unreliable
        overpriced uncomfortable noisy wobbly weak poor bad inferior mediocre unbearable painful dreary gloomy nasty
        wretched cheap
        """
    )
    static let goodNouns = list(
        """
        delight triumph gem treasure joy pleasure masterpiece winner bargain marvel wonder blessing success favorite
        revelation jewel classic treat
        """
    )
    static let badNouns = list(
        """
        disappointment disaster mess waste failure bore nuisance letdown insult ordeal mistake dud flop embarrassment
        nightmare joke headache fiasco
        """
    )
    static let goodVerbs = list(
        "enjoyed loved adored admired treasured praised savored cherished applauded recommended appreciated celebrated"
    )
    static let badVerbs = list(
        "hated disliked regretted despised resented loathed detested endured mocked criticized abandoned rejected"
    )
    static let goodManner = list(
        """
        wonderfully beautifully brilliantly superbly perfectly gracefully elegantly smoothly cleverly delightfully
        flawlessly admirably splendidly
        """
    )
    static let badManner = list(
        """
        badly terribly poorly horribly awfully clumsily dreadfully miserably carelessly painfully sloppily lazily
        pathetically
        """
    )
    static let goodMoods = list(
        "happy thrilled delighted pleased grateful satisfied charmed impressed amused enchanted smiling overjoyed proud"
    )
    static let badMoods = list(
        "angry annoyed bored disappointed frustrated unhappy irritated upset disgusted sad sorry furious embarrassed"
    )
}
