"""Whether one word is a misspelling of the other: a white list, since a word that differs by a letter may be another.

Dictionaries alone can't tell: they lack many words and more inflections. Of 340,000 French and 275,000 English
words 4,000 that a dictionary lacks are one letter from a frequent one, among them "décéderai" and "déciderai",
"cathodiques" and "catholiques", "atonique" and "atomique". So only slips that make no other word count: well-known
misspellings, two letters that changed places, a letter doubled or single, accents left out; within a word, never at
its end, where number, gender, tense and mood stand.
"""

import unicodedata
from functools import cache

from rapidfuzz.distance import OSA
from spellchecker import SpellChecker

from feedd.changes.lexicon import UNITS, is_date_word, is_negation, is_numeric

SHORTEST = 7  # letters; shorter words have too many neighbours
ENDING = 3  # letters in which inflection stands
FREQUENT = {"en": 3_000, "fr": 600}  # occurrences in the dictionaries' corpora
LONGEST = 40  # letters

MISSPELLINGS = dict(
    pair.split(":")
    for pair in (
        "recieve:receive recieved:received recieves:receives recieving:receiving beleive:believe beleived:believed"
        " seperate:separate seperated:separated seperately:separately definately:definitely definatly:definitely"
        " goverment:government goverments:governments govenment:government govermental:governmental"
        " enviroment:environment enviromental:environmental enviroments:environments occured:occurred"
        " occuring:occurring occurence:occurrence occurrance:occurrence occurences:occurrences untill:until"
        " wich:which teh:the adn:and taht:that thier:their freind:friend freinds:friends tommorow:tomorrow"
        " tommorrow:tomorrow tomorow:tomorrow accomodate:accommodate acommodate:accommodate accomodation:accommodation"
        " comittee:committee commitee:committee committe:committee embarass:embarrass embarassed:embarrassed"
        " embarassing:embarrassing harrass:harass harrassed:harassed harrassment:harassment millenium:millennium"
        " neccessary:necessary necesary:necessary neccesary:necessary necessery:necessary sucess:success"
        " succesful:successful successfull:successful succesfully:successfully publically:publicly buisness:business"
        " bussiness:business busness:business catagory:category cemetary:cemetery"
        " collegue:colleague collegues:colleagues concious:conscious consience:conscience dissapear:disappear"
        " dissapeared:disappeared dissapointed:disappointed dissappointed:disappointed dissapointing:disappointing"
        " existance:existence experiance:experience familar:familiar finaly:finally foriegn:foreign gaurd:guard"
        " guarentee:guarantee garantee:guarantee happend:happened immediatly:immediately imediately:immediately"
        " independant:independent independance:independence intresting:interesting knowlege:knowledge liason:liaison"
        " maintainance:maintenance maintenence:maintenance manuever:manoeuvre mispell:misspell noticable:noticeable"
        " offical:official officals:officials oficial:official parliment:parliament parlament:parliament"
        " parlaiment:parliament parlimentary:parliamentary peice:piece peices:pieces"
        " politican:politician politicans:politicians possesion:possession prefered:preferred presance:presence"
        " privelege:privilege priviledge:privilege probaly:probably propoganda:propaganda recomend:recommend"
        " recomended:recommended reccomend:recommend refered:referred referal:referral relevent:relevant"
        " religous:religious repitition:repetition resistence:resistance responce:response responsability:responsibility"
        " rythm:rhythm secratary:secretary secretery:secretary sieze:seize siezed:seized"
        " similiar:similar sincerly:sincerely speach:speech strenght:strength suprise:surprise suprised:surprised"
        " suprising:surprising temperture:temperature threshhold:threshold truely:truly"
        " unforseen:unforeseen unfortunatly:unfortunately usefull:useful vaccum:vacuum vegtable:vegetable"
        " vehical:vehicle visable:visible wierd:weird writting:writing writen:written yeild:yield"
        " aparent:apparent apparantly:apparently arguement:argument"
        " assasin:assassin assasinated:assassinated assasination:assassination begining:beginning belive:believe"
        " carribean:caribbean casulties:casualties casulty:casualty cheif:chief condemed:condemned controversal:controversial"
        " democrasy:democracy demonstraters:demonstrators develope:develop developement:development diplomatc:diplomatic"
        " disasterous:disastrous econimic:economic ecomony:economy eletricity:electricity electrisity:electricity"
        " exagerate:exaggerate explaination:explanation firey:fiery flourescent:fluorescent"
        " grammer:grammar heirarchy:hierarchy hospitol:hospital hospitl:hospital hostige:hostage inteligence:intelligence"
        " intelligance:intelligence investgation:investigation investigaton:investigation judgemental:judgmental"
        " langauge:language legistlation:legislation lisence:license millitary:military militery:military"
        " ministery:ministry negociate:negotiate negociations:negotiations neigbour:neighbour"
        " oppurtunity:opportunity oportunity:opportunity particulary:particularly peopel:people poeple:people"
        " pecular:peculiar performence:performance perhasp:perhaps polititian:politician"
        " positon:position posible:possible presidental:presidential presidant:president prisonner:prisoner"
        " problam:problem protestors:protesters questionaire:questionnaire realy:really reconize:recognize"
        " restaraunt:restaurant sanctionned:sanctioned scandel:scandal shoudl:should woudl:would coudl:could"
        " sophmore:sophomore soverign:sovereign soveriegn:sovereign tendancy:tendency terrorits:terrorists"
        " traficking:trafficking tradegy:tragedy tragidy:tragedy transfered:transferred"
        " vaccinne:vaccine vacine:vaccine vacines:vaccines violance:violence witheld:withheld witnes:witness"
        " gouvernment:gouvernement gouvernemnt:gouvernement gouvenement:gouvernement developement:développement"
        " dévelopement:développement aparemment:apparemment apparement:apparemment"
        " aggressif:agressif parmis:parmi malgrés:malgré biensûr:bien-sûr dilemne:dilemme"
        " environement:environnement environnment:environnement evènement:événement évènement:événement"
        " rénumération:rémunération infractus:infarctus interressant:intéressant interêt:intérêt"
        " professionel:professionnel professionelle:professionnelle personelle:personnelle traditionel:traditionnel"
        " exeptionnel:exceptionnel execption:exception courament:couramment addresse:adresse"
        " appeller:appeler acceuil:accueil acceuillir:accueillir receuillir:recueillir"
        " receuilli:recueilli ceuillir:cueillir orgeuil:orgueil hopital:hôpital hôpitale:hôpital théatre:théâtre"
        " batiment:bâtiment connaitre:connaître reconnaitre:reconnaître maitre:maître"
        " éxécution:exécution éxécutif:exécutif éxamen:examen éxiste:existe"
    ).split()
)


def is_correction(old: str, new: str) -> bool:
    """Whether `new` is `old` without a slip of the pen; both are lower-case words."""
    if MISSPELLINGS.get(old) == new:
        return True
    if not (SHORTEST <= len(old) <= LONGEST and SHORTEST <= len(new) <= LONGEST) or bare(old[:1]) != bare(
        new[:1]
    ):
        return False
    if not (old.isalpha() and new.isalpha() and is_latin(old) and is_latin(new)):
        return False
    if UNITS & {old, new} or any(
        rule(word) for rule in (is_numeric, is_negation, is_date_word) for word in (old, new)
    ):
        return False
    if not is_slip(old, new) or is_known(old):
        return False
    if sorted(old) == sorted(new):
        return is_frequent(new, ("en",))  # French "trieurs" are no "tireurs"
    return is_frequent(new)


def is_slip(old: str, new: str) -> bool:
    """Whether accents are left out, letters changed places, or one is doubled, before the word's ending."""
    if bare(old) == bare(new):
        return old == bare(old) and old[-ENDING:] == new[-ENDING:]
    if old[-ENDING:] != new[-ENDING:] or OSA.distance(old, new, score_cutoff=1) > 1:
        return False
    if len(old) == len(new):
        return sorted(old) == sorted(new)
    short, long = sorted((old, new), key=len)
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    # a doubled s makes other words in French: "empoissonné", "empoisonné"
    return at > 0 and long[at] == long[at - 1] != "s"


def bare(word: str) -> str:
    """The word without its accents."""
    if word.isascii():
        return word
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))


def is_latin(word: str) -> bool:
    return all(char < "\u0250" for char in word)


def is_known(word: str) -> bool:
    return any(count_of(word, language) > 0 for language in FREQUENT)


def is_frequent(word: str, languages: tuple[str, ...] = ("en", "fr")) -> bool:
    return any(count_of(word, language) >= FREQUENT[language] for language in languages)


def count_of(word: str, language: str) -> int:
    """How often the dictionary's corpus has the word; 0 if it lacks it."""
    return dictionary(language).word_frequency[word]


@cache
def dictionary(language: str) -> SpellChecker:
    """A dictionary: a third of a second and 30 MB, so that none is loaded before a word asks for it."""
    return SpellChecker(language=language)
