"""Words and signs that a newsroom weighs: numbers, negations, dates, units, currencies; in the languages of our readers.

Words are lower-case. A word that is missing here loses nothing but the name of its reason: what is not known to
be harmless is substantial.
"""

import re

NEGATIONS = frozenset(
    # English
    "not no never none nobody nothing nowhere without nor neither cannot cant barely hardly unless"
    # French
    " ne n' pas jamais aucun aucune sans ni nul nulle rien personne guère point non"
    # German, Spanish
    " nicht kein keine keinen keinem keiner keines nie niemals ohne weder noch nein nunca jamás ningún ninguno ninguna sin"
    " nada nadie tampoco"
    # Arabic
    " لا لم لن ليس ليست ليسوا ما غير بدون دون بلا ولا ولم ولن وليس وليست كلا".split()
)
NEGATING_CHARACTERS = frozenset("不没沒未无無非否别別勿莫毋")
NEGATING_RUNS = (
    "ない",
    "なく",
    "なかっ",
    "なけれ",
    "ません",
    "せず",
    "ずに",
)  # Japanese endings: two characters or more

NO_NEGATION = re.compile("少なくと|少なくな")  # "at least", "not a few"

# letters of other scripts that look like Latin ones
LOOK_ALIKE = str.maketrans(
    "асеорухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅοανριΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aceopyxijshdqwABEKMHOPCTYXIJSoavpiABEZHIKMNOPTYX"
)

NUMBER_WORDS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands"
    " million millions billion billions trillion trillions dozen dozens half halves third thirds quarter quarters"
    " first second fourth fifth sixth seventh eighth ninth tenth once twice double triple both single couple score"
    " zéro un une deux trois quatre cinq sept huit neuf dix onze douze treize quatorze quinze seize vingt trente"
    " quarante cinquante soixante septante octante nonante cent cents mille millier milliers milliard milliards"
    " centaine centaines dizaine dizaines douzaine demi demie tiers quart quarts premier première deuxième troisième"
    " quatrième cinquième"
    " sixième septième huitième neuvième dixième douzième quinzième vingtaine trentaine quarantaine cinquantaine million"
    " eins zwei drei vier fünf sechs sieben acht neun elf zwölf million millionen milliarde milliarden"
    " hundert hunderte tausende dutzend halb halbe hälfte drittel viertel erste ersten zweite zweiten dritte dritten"
    " uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho"
    " diecinueve veinte veintiuno veintiún veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho"
    " veintinueve treinta cuarenta cincuenta sesenta setenta ochenta noventa cien ciento cientos doscientos doscientas"
    " trescientos trescientas cuatrocientos quinientos quinientas seiscientos setecientos ochocientos novecientos mil miles"
    " millón millones docena docenas decena decenas mitad tercio primero primera tercero"
    " um uma dois duas três quatro sete oito dez doze treze catorze quatorze quinze dezesseis dezasseis dezessete dezassete"
    " dezoito dezenove dezanove vinte trinta quarenta cinquenta sessenta setenta oitenta noventa cem cento duzentos trezentos"
    " quatrocentos quinhentos seiscentos setecentos oitocentos novecentos milhão milhões bilhão bilhões dúzia dezenas metade"
    " terço primeiro terceiro"
    " tre quattro cinque sette nove dieci undici dodici tredici quattordici quindici sedici diciassette diciotto"
    " diciannove venti trenta quaranta cinquanta sessanta settanta ottanta novanta duecento trecento quattrocento cinquecento"
    " mila duemila milione milioni miliardo miliardi decina decine dozzina centinaia migliaia metà terzo"
    " صفر واحد واحدة اثنان اثنين اثنتان اثنتين ثلاثة ثلاث أربعة أربع خمسة خمس ستة ست سبعة سبع ثمانية ثماني تسعة تسع"
    " عشرة عشر عشرون عشرين ثلاثون ثلاثين أربعون أربعين خمسون خمسين ستون ستين سبعون سبعين ثمانون ثمانين تسعون تسعين"
    " مئة مائة مئات مئتان مئتين ألف ألفان ألفين آلاف ألوف مليون مليونين ملايين مليار مليارات نصف ثلث ربع أول ثاني".split()
)
# German and Italian numbers are written as one word
GERMAN_NUMBERS = tuple(
    "zehn zwanzig dreißig dreissig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend".split()
)
ITALIAN_NUMBER = re.compile(
    r"(?:vent|trent|quarant|cinquant|sessant|settant|ottant|novant)[ai]?(?:uno?|due|tre|tré|quattro|cinque|sei|sette|otto|nove)"
)
HAN_NUMERALS = frozenset("〇零一二三四五六七八九十百千万萬亿億兆两兩双雙半廿卅倍壹贰叁肆伍陆柒捌玖拾佰仟")

MONTHS = (
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
    " janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
    " januar februar märz juni juli oktober dezember"
    " enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    " يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"
    " كانون شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين"
)
DAYS = (
    "monday tuesday wednesday thursday friday saturday sunday today yesterday tomorrow tonight"
    " lundi mardi mercredi jeudi vendredi samedi dimanche aujourd'hui hier demain"
    " montag dienstag mittwoch donnerstag freitag samstag sonntag heute gestern morgen"
    " lunes martes miércoles jueves viernes sábado domingo hoy ayer mañana"
    " الاثنين الإثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد اليوم أمس غدا غدًا"
)
MONTH_WORDS = frozenset(MONTHS.split())
DATE_WORDS = frozenset(f"{MONTHS} {DAYS}".split())
DATE_CHARACTERS = frozenset("年月日号號曜昨明")

CURRENCIES = frozenset("$€£¥₹₽₩₪₺฿₫₴₦")
PERCENT = frozenset("%‰٪‱")
SIGNS = CURRENCIES | PERCENT | frozenset("-+±×÷=<>≤≥≈≠~/\\*#@&^_|°′″№§^")
UNITS = frozenset(
    "mm cm m km mi ft inch inches feet miles kg g mg μg µg t kt lb lbs oz l ml cl hl ha acre acres km² m² m³ km/h mph kph kn"
    " s ms min h hr hrs hour hours minute minutes second seconds day days week weeks month months year years"
    " w kw mw gw tw kwh mwh gwh twh v kv hz khz mhz ghz b kb mb gb tb bn tn mn k pa kpa hpa bar psi"
    " sv msv μsv µsv bq gy c f usd eur gbp jpy cny rmb dollars dollar euros euro pounds pound yen yuan"
    " degrees degree percent per cent pour pct points point a.m p.m am pm"
    " heures heure minutes jours jour mois an ans mètres kilomètres tonnes tonne people personnes dead morts".split()
)
UNIT_CHARACTERS = frozenset("万萬亿億兆元円人名歳岁次件个個年月日时時分秒度米公里吨噸倍割％%‰℃点點月号")

# these begin many a sentence, and are no name, number or other word with a small letter
PLAIN_OPENERS = frozenset(
    "according about across against amid among around another any as asked away back been being between both can"
    " children could did do does during each earlier even every everyone experts families few fewer following for former"
    " government he here hospitals how however i its investigators journalists last later lawyers local many meanwhile"
    " members ministers more moreover most much neighbours neighbors new nearly next now officers officials only other"
    " our over parents people perhaps police prosecutors protesters rescuers residents schools scientists several she"
    " since soldiers some something soon still students such talks teachers than their them therefore though through"
    " thus together too troops under until up voters was were what where which who whose why witnesses"
    " workers would yet"
    " alors ainsi aucun aussi autour avant beaucoup cependant certains chaque chez comme depuis dès elle encore enfin entre"
    " jusqu'à là lors lorsque mais même ni notre puis quant que quelques qui sans selon seul sous tandis toujours tous"
    " tout toute toutefois très voici voilà votre"
    " the an and but or so he she it they we you this that these those his her its their our there then when while"
    " if as at by for from in of on to with after before because although however also"
    " le la les une des et mais ou il elle ils elles on nous vous ce cette ces cela son sa ses leur leurs dans en"
    " pour par avec sur après avant quand si car donc".split()
)
# a writer doubles them by mistake alone; "had had", "that that", "very very" and "nous nous" may be meant
NEVER_DOUBLED = frozenset(
    "the a an of and or to from with by for at into than as is was are were be it they we he she his their"
    " le la les de du des un une et ou à au aux dans par pour sur avec qui que est sont".split()
)


def is_negation(token: str) -> bool:
    """Whether a token, lower-case, denies."""
    return token in NEGATIONS or token.endswith("n't") or token in NEGATING_CHARACTERS


def is_numeric(token: str) -> bool:
    """Whether a token, lower-case, is a number, or the word for one."""
    if token in NUMBER_WORDS or token in HAN_NUMERALS or token.endswith(GERMAN_NUMBERS):
        return True
    if token.isascii() and token.isalpha():
        return ITALIAN_NUMBER.fullmatch(token) is not None
    return any(char.isnumeric() and not is_plain_ideograph(char) for char in token) or any(
        part in NUMBER_WORDS for part in token.split("-")
    )


def is_plain_ideograph(char: str) -> bool:
    """Whether Unicode calls a character a number that is read as a word."""
    return char > "\u3400" and char not in HAN_NUMERALS and not char.isdigit()


def is_date_word(token: str) -> bool:
    return token in DATE_WORDS


def looks_alike(old: str, new: str) -> bool:
    """Whether two different texts look the same to their readers."""
    return old != new and old.translate(LOOK_ALIKE) == new.translate(LOOK_ALIKE)
