/// What the reviews are about, and where and when: words that take no side.
extension CorpusWords {
    static let filmKinds = list(
        """
        film movie picture drama comedy thriller western musical documentary cartoon romance mystery sequel remake
        adaptation feature biography satire melodrama fantasy farce epic miniseries caper
        """
    )
    static let filmParts = list(
        """
        plot story script screenplay dialogue acting cast ending opening middle pacing direction camera photography
        lighting editing music soundtrack score costume makeup scenery setting narration humor suspense romance
        choreography animation performance premise finale voiceover casting mood tone style theme
        """
    )
    static let filmRoles = list(
        """
        actor actress director hero heroine villain writer composer narrator detective sheriff lawyer doctor nurse
        teacher soldier sailor pilot king queen prince princess wizard robot ghost spy thief gangster boxer dancer
        singer painter farmer cowboy priest butler orphan widow stranger
        """
    )
    static let topics = list(
        """
        war friendship marriage childhood revenge school politics baseball football sailing farming music painting
        chess travel space dinosaurs pirates vampires dragons horses wolves whales money crime justice religion
        history science medicine cooking fashion dancing gardening racing boxing mountains deserts islands oceans
        trains
        """
    )
    static let products = list(
        """
        kettle toaster blender lamp chair table sofa mattress pillow blanket carpet curtain mirror clock radio speaker
        camera printer keyboard laptop tablet phone charger battery cable monitor headset microphone guitar piano
        violin drum bicycle helmet backpack suitcase wallet umbrella jacket sweater shirt scarf belt hat shoe boot
        sandal glove watch bracelet necklace ring tent lantern stove grill cooler thermos bottle mug plate bowl spoon
        knife pan pot skillet oven freezer heater fan vacuum broom mop bucket ladder hammer drill saw wrench screwdriver
        shovel rake hose mower wheelbarrow puzzle notebook pencil stapler calculator desk shelf drawer basket towel
        soap brush razor
        """
    )
    static let productParts = list(
        """
        handle lid switch button cord plug screen case cover strap zipper hinge lock wheel leg frame seat cushion fabric
        leather finish paint coating color size shape weight design manual label box packaging warranty motor blade
        filter sensor display dial spring stitching surface texture
        """
    )
    static let brands = list(
        """
        Acorn Beacon Cedar Delta Ember Falcon Granite Harbor Ivory Juniper Kestrel Lantern Meridian Nimbus Orchard
        Pinnacle Quartz Raven Summit Timber Umbra Vista Willow Zenith
        """
    )
    static let places = list(
        """
        kitchen garage garden office bedroom basement attic hallway bathroom theater cinema library museum hotel cabin
        classroom dormitory workshop barn studio lobby airport park village town
        """
    )
    static let cities = list(
        """
        Boston Chicago Denver Dallas Houston Seattle Portland Phoenix Memphis Nashville Atlanta Miami Toronto Montreal
        Vancouver London Paris Berlin Madrid Rome Vienna Dublin Oslo Stockholm Helsinki Warsaw Prague Budapest Athens
        Lisbon Cairo Tokyo Sydney Melbourne
        """
    )
    static let firstNames = list(
        """
        Alice Anna Arthur Barbara Benjamin Carl Caroline Charles Clara Daniel David Diana Edward Eleanor Emma Eric
        Frances Frank George Grace Hannah Harold Helen Henry Irene Isaac Jack James Jane Julia Karen Kevin Laura Leo
        Linda Louis Lucy Margaret Maria Mark Martha Martin Mary Michael Nancy Nathan Nicholas Nora Oliver Oscar Patrick
        Paul Peter Rachel Rebecca Richard Robert Rosa Ruth Samuel Sarah Simon Sophie Stephen Susan Teresa Thomas Victor
        Victoria Walter William
        """
    )
    static let lastNames = list(
        """
        Adams Baker Bennett Brooks Campbell Carter Collins Cooper Davis Edwards Evans Fisher Foster Garcia Gibson Graham
        Hamilton Harris Hayes Hughes Jackson Jenkins Johnson Kelly Kennedy Larson Lewis Lopez Marshall Martinez Mitchell
        Morgan Murphy Nelson Newman Olson Palmer Parker Patterson Perry Peterson Powell Reynolds Richardson Roberts
        Robinson Sanders Schultz Simmons Stevens Sullivan Taylor Thompson Turner Walker Watson Webster Wilson
        """
    )
    static let relatives = list(
        """
        mother father sister brother daughter son wife husband aunt uncle cousin niece nephew grandmother grandfather
        neighbor roommate boss colleague friend partner teacher landlord
        """
    )
    static let neutralAdjectives = list(
        """
        old new young small large little big long short early late local foreign modern ancient red blue green black
        white yellow brown gray purple orange wooden metal plastic rubber round square narrow wide tall low dark light
        heavy soft hard quiet busy rural urban distant northern southern eastern western second third middle ordinary
        separate entire usual recent annual weekly portable electric digital manual independent silent famous
        """
    )
}
