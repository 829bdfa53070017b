"""Names of months and of halves of the day, in the languages that pages are dated in (after Unicode CLDR's forms).

A row holds twelve months, divided by `|`; a month's spellings are divided by `,`, cases and abbreviations included.
"""

MONTHS = {
    "ar": (
        "يناير,كانون الثاني,جانفي|فبراير,شباط,فيفري|مارس,آذار|أبريل,ابريل,نيسان,أفريل|مايو,أيار,ماي|يونيو,يونيه,حزيران,جوان"
        "|يوليو,يوليه,تموز,جويلية|أغسطس,اغسطس,آب,أوت|سبتمبر,أيلول|أكتوبر,اكتوبر,تشرين الأول|نوفمبر,تشرين الثاني"
        "|ديسمبر,كانون الأول"
    ),
    "bg": (
        "януари,яну|февруари,фев|март|април,апр|май|юни|юли|август,авг|септември,сеп|октомври,окт|ноември,ное"
        "|декември,дек"
    ),
    "ca": (
        "gener,gen|febrer,febr|març|abril,abr|maig|juny|juliol,jul|agost,ag|setembre,set|octubre,oct|novembre,nov"
        "|desembre,des"
    ),
    "cs": (
        "leden,ledna,led|únor,února,úno|březen,března,bře|duben,dubna,dub|květen,května,kvě|červen,června,čvn"
        "|červenec,července,čvc|srpen,srpna,srp|září,zář|říjen,října,říj|listopad,listopadu,lis|prosinec,prosince,pro"
    ),
    "da": (
        "januar,jan|februar,feb|marts,mar|april,apr|maj|juni,jun|juli,jul|august,aug|september,sep,sept|oktober,okt"
        "|november,nov|december,dec"
    ),
    "de": (
        "januar,jänner,jan,jän|februar,feber,feb|märz,mär,mrz|april,apr|mai|juni,jun|juli,jul|august,aug"
        "|september,sep,sept|oktober,okt|november,nov|dezember,dez"
    ),
    "el": (
        "ιανουάριος,ιανουαρίου,ιαν|φεβρουάριος,φεβρουαρίου,φεβ|μάρτιος,μαρτίου,μάρ,μαρ|απρίλιος,απριλίου,απρ"
        "|μάιος,μαΐου,μαίου,μάι,μαΐ|ιούνιος,ιουνίου,ιούν,ιουν|ιούλιος,ιουλίου,ιούλ,ιουλ|αύγουστος,αυγούστου,αύγ,αυγ"
        "|σεπτέμβριος,σεπτεμβρίου,σεπ|οκτώβριος,οκτωβρίου,οκτ|νοέμβριος,νοεμβρίου,νοέ,νοε|δεκέμβριος,δεκεμβρίου,δεκ"
    ),
    "en": (
        "january,jan|february,feb|march,mar|april,apr|may|june,jun|july,jul|august,aug|september,sept,sep|october,oct"
        "|november,nov|december,dec"
    ),
    "es": (
        "enero,ene|febrero,feb|marzo,mar|abril,abr|mayo,may|junio,jun|julio,jul|agosto,ago"
        "|septiembre,setiembre,sept,sep,set|octubre,oct|noviembre,nov|diciembre,dic"
    ),
    "fa": (
        "ژانویه,ژانویهٔ|فوریه,فوریهٔ|مارس|آوریل|مه,مهٔ,می|ژوئن|ژوئیه,ژوئیهٔ,جولای|اوت,آگوست|سپتامبر|اکتبر|نوامبر|دسامبر"
    ),
    "fi": (
        "tammikuu,tammikuuta,tammi|helmikuu,helmikuuta,helmi|maaliskuu,maaliskuuta,maalis|huhtikuu,huhtikuuta,huhti"
        "|toukokuu,toukokuuta,touko|kesäkuu,kesäkuuta,kesä|heinäkuu,heinäkuuta,heinä|elokuu,elokuuta,elo"
        "|syyskuu,syyskuuta,syys|lokakuu,lokakuuta,loka|marraskuu,marraskuuta,marras|joulukuu,joulukuuta,joulu"
    ),
    "fr": (
        "janvier,janv,jan|février,fevrier,févr,fév|mars|avril,avr|mai|juin|juillet,juil|août,aout|septembre,sept,sep"
        "|octobre,oct|novembre,nov|décembre,decembre,déc"
    ),
    "he": "ינואר|פברואר|מרץ,מרס|אפריל|מאי|יוני|יולי|אוגוסט|ספטמבר|אוקטובר|נובמבר|דצמבר",
    "hi": (
        "जनवरी,जन|फ़रवरी,फरवरी,फ़र|मार्च|अप्रैल|मई|जून|जुलाई,जुल|अगस्त,अग|सितंबर,सितम्बर,सित|अक्टूबर,अक्तूबर,अक्टू"
        "|नवंबर,नवम्बर,नव|दिसंबर,दिसम्बर,दिस"
    ),
    "hr": (
        "siječanj,siječnja,sij|veljača,veljače,velj|ožujak,ožujka,ožu|travanj,travnja,tra|svibanj,svibnja,svi"
        "|lipanj,lipnja,lip|srpanj,srpnja,srp|kolovoz,kolovoza,kol|rujan,rujna,ruj|listopad,listopada,lis"
        "|studeni,studenoga,studenog,stu|prosinac,prosinca,pro"
    ),
    "hu": (
        "január,jan|február,feb,febr|március,márc,már|április,ápr|május,máj|június,jún|július,júl|augusztus,aug"
        "|szeptember,szept|október,okt|november,nov|december,dec"
    ),
    "id": (
        "januari,jan|februari,pebruari,feb|maret,mar|april,apr|mei|juni,jun|juli,jul|agustus,agu,agt|september,sep"
        "|oktober,okt|november,nopember,nov|desember,des"
    ),
    "it": (
        "gennaio,gen|febbraio,feb|marzo,mar|aprile,apr|maggio,mag|giugno,giu|luglio,lug|agosto,ago|settembre,set,sett"
        "|ottobre,ott|novembre,nov|dicembre,dic"
    ),
    "nb": (
        "januar,jan|februar,feb|mars,mar|april,apr|mai|juni,jun|juli,jul|august,aug|september,sep,sept|oktober,okt"
        "|november,nov|desember,des"
    ),
    "nl": (
        "januari,jan|februari,feb|maart,mrt|april,apr|mei|juni,jun|juli,jul|augustus,aug|september,sep,sept"
        "|oktober,okt|november,nov|december,dec"
    ),
    "pl": (
        "styczeń,stycznia,sty|luty,lutego,lut|marzec,marca,mar|kwiecień,kwietnia,kwi|maj,maja|czerwiec,czerwca,cze"
        "|lipiec,lipca,lip|sierpień,sierpnia,sie|wrzesień,września,wrz|październik,października,paź"
        "|listopad,listopada,lis|grudzień,grudnia,gru"
    ),
    "pt": (
        "janeiro,jan|fevereiro,fev|março,mar|abril,abr|maio,mai|junho,jun|julho,jul|agosto,ago|setembro,set"
        "|outubro,out|novembro,nov|dezembro,dez"
    ),
    "ro": (
        "ianuarie,ian|februarie,feb|martie,mar|aprilie,apr|mai|iunie,iun|iulie,iul|august,aug|septembrie,sept"
        "|octombrie,oct|noiembrie,noi,nov|decembrie,dec"
    ),
    "ru": (
        "январь,января,янв|февраль,февраля,фев,февр|март,марта,мар|апрель,апреля,апр|май,мая|июнь,июня,июн"
        "|июль,июля,июл|август,августа,авг|сентябрь,сентября,сен,сент|октябрь,октября,окт|ноябрь,ноября,ноя,нояб"
        "|декабрь,декабря,дек"
    ),
    "sk": (
        "január,januára,jan|február,februára,feb|marec,marca,mar|apríl,apríla,apr|máj,mája|jún,júna|júl,júla"
        "|august,augusta,aug|september,septembra,sep|október,októbra,okt|november,novembra,nov|december,decembra,dec"
    ),
    "sl": (
        "januar,januarja,jan|februar,februarja,feb|marec,marca,mar|april,aprila,apr|maj,maja|junij,junija,jun"
        "|julij,julija,jul|avgust,avgusta,avg|september,septembra,sep|oktober,oktobra,okt|november,novembra,nov"
        "|december,decembra,dec"
    ),
    "sr": (
        "januar,jan,јануар,јан|februar,feb,фебруар,феб|mart,mar,март,мар|april,apr,април,апр|maj,мај|jun,jun,јун"
        "|jul,јул|avgust,avg,август,авг|septembar,sep,септембар,сеп|oktobar,okt,октобар,окт|novembar,nov,новембар,нов"
        "|decembar,dec,децембар,дец"
    ),
    "sv": (
        "januari,jan|februari,feb|mars,mar|april,apr|maj|juni,jun|juli,jul|augusti,aug|september,sep,sept"
        "|oktober,okt|november,nov|december,dec"
    ),
    "th": (
        "มกราคม,ม.ค|กุมภาพันธ์,ก.พ|มีนาคม,มี.ค|เมษายน,เม.ย|พฤษภาคม,พ.ค|มิถุนายน,มิ.ย|กรกฎาคม,ก.ค|สิงหาคม,ส.ค"
        "|กันยายน,ก.ย|ตุลาคม,ต.ค|พฤศจิกายน,พ.ย|ธันวาคม,ธ.ค"
    ),
    "tr": (
        "ocak,oca|şubat,şub|mart,mar|nisan,nis|mayıs,may|haziran,haz|temmuz,tem|ağustos,ağu|eylül,eyl|ekim,eki"
        "|kasım,kas|aralık,ara"
    ),
    "uk": (
        "січень,січня,січ|лютий,лютого,лют|березень,березня,бер|квітень,квітня,квіт,кві|травень,травня,трав,тра"
        "|червень,червня,черв,чер|липень,липня,лип|серпень,серпня,серп,сер|вересень,вересня,вер|жовтень,жовтня,жовт,жов"
        "|листопад,листопада,лист,лис|грудень,грудня,груд,гру"
    ),
    "vi": (
        "tháng một,tháng giêng|tháng hai|tháng ba|tháng tư|tháng năm|tháng sáu|tháng bảy|tháng tám|tháng chín"
        "|tháng mười|tháng mười một|tháng mười hai,tháng chạp"
    ),
}
SAME = {"no": "nb", "nn": "nb", "ms": "id", "bs": "sr", "gl": "pt", "in": "id", "iw": "he"}
# which half of the day; what is said before the time or after it
FORENOON = "am,a.m,上午,午前,早上,凌晨,오전,ص,صباحا,صباحاً,ق.ظ,sa,sáng,π.μ,öö,เช้า"
AFTERNOON = "pm,p.m,下午,午後,晚上,晩上,오후,م,مساء,مساءً,ب.ظ,ch,chiều,tối,μ.μ,ös,บ่าย"
YEAR_FIRST = frozenset("zh ja ko hu lt mn".split())
MONTH_FIRST_REGIONS = frozenset("us ph".split())  # of English; and no other language
BUDDHIST = 543  # years that a Thai year is ahead
# the year before the first of each era, which bounds its years
ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "民國": 1911, "民国": 1911}
