/**
 * Subdivisions of ISO 3166-2 for countries whose addresses usually name one. Regions of other countries keep their
 * name and only their code gets its country in front.
 */
import { countryOf, plain } from './countries.ts';

const table = {
  US: `AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware,
    DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas,
    KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi,
    MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, NM New Mexico, NY New York,
    NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania, RI Rhode Island,
    SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington,
    WV West Virginia, WI Wisconsin, WY Wyoming, AS American Samoa, GU Guam, MP Northern Mariana Islands,
    PR Puerto Rico, UM United States Minor Outlying Islands, VI Virgin Islands`,
  CA: `AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick, NL Newfoundland and Labrador, NS Nova Scotia,
    NT Northwest Territories, NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec, SK Saskatchewan, YT Yukon`,
  DE: `BW Baden-Württemberg, BY Bayern, BE Berlin, BB Brandenburg, HB Bremen, HH Hamburg, HE Hessen,
    MV Mecklenburg-Vorpommern, NI Niedersachsen, NW Nordrhein-Westfalen, RP Rheinland-Pfalz, SL Saarland, SN Sachsen,
    ST Sachsen-Anhalt, SH Schleswig-Holstein, TH Thüringen`,
  AT: `1 Burgenland, 2 Kärnten, 3 Niederösterreich, 4 Oberösterreich, 5 Salzburg, 6 Steiermark, 7 Tirol,
    8 Vorarlberg, 9 Wien`,
  CH: `AG Aargau, AI Appenzell Innerrhoden, AR Appenzell Ausserrhoden, BE Bern, BL Basel-Landschaft, BS Basel-Stadt,
    FR Fribourg, GE Genève, GL Glarus, GR Graubünden, JU Jura, LU Luzern, NE Neuchâtel, NW Nidwalden, OW Obwalden,
    SG Sankt Gallen, SH Schaffhausen, SO Solothurn, SZ Schwyz, TG Thurgau, TI Ticino, UR Uri, VD Vaud, VS Valais,
    ZG Zug, ZH Zürich`,
  AU: `ACT Australian Capital Territory, NSW New South Wales, NT Northern Territory, QLD Queensland,
    SA South Australia, TAS Tasmania, VIC Victoria, WA Western Australia`,
  BR: `AC Acre, AL Alagoas, AM Amazonas, AP Amapá, BA Bahia, CE Ceará, DF Distrito Federal, ES Espírito Santo,
    GO Goiás, MA Maranhão, MG Minas Gerais, MS Mato Grosso do Sul, MT Mato Grosso, PA Pará, PB Paraíba, PE Pernambuco,
    PI Piauí, PR Paraná, RJ Rio de Janeiro, RN Rio Grande do Norte, RO Rondônia, RR Roraima, RS Rio Grande do Sul,
    SC Santa Catarina, SE Sergipe, SP São Paulo, TO Tocantins`,
  MX: `AGU Aguascalientes, BCN Baja California, BCS Baja California Sur, CAM Campeche, CHH Chihuahua, CHP Chiapas,
    CMX Ciudad de México, COA Coahuila de Zaragoza, COL Colima, DUR Durango, GRO Guerrero, GUA Guanajuato, HID Hidalgo,
    JAL Jalisco, MEX México, MIC Michoacán de Ocampo, MOR Morelos, NAY Nayarit, NLE Nuevo León, OAX Oaxaca, PUE Puebla,
    QUE Querétaro, ROO Quintana Roo, SIN Sinaloa, SLP San Luis Potosí, SON Sonora, TAB Tabasco, TAM Tamaulipas,
    TLA Tlaxcala, VER Veracruz de Ignacio de la Llave, YUC Yucatán, ZAC Zacatecas`,
  ES: `AN Andalucía, AR Aragón, AS Asturias, CB Cantabria, CE Ceuta, CL Castilla y León, CM Castilla-La Mancha,
    CN Canarias, CT Catalunya, EX Extremadura, GA Galicia, IB Illes Balears, MC Murcia, MD Madrid, ML Melilla,
    NC Navarra, PV País Vasco, RI La Rioja, VC Comunitat Valenciana`,
  IT: `21 Piemonte, 23 Valle d'Aosta, 25 Lombardia, 32 Trentino-Alto Adige, 34 Veneto, 36 Friuli-Venezia Giulia,
    42 Liguria, 45 Emilia-Romagna, 52 Toscana, 55 Umbria, 57 Marche, 62 Lazio, 65 Abruzzo, 67 Molise, 72 Campania,
    75 Puglia, 77 Basilicata, 78 Calabria, 82 Sicilia, 88 Sardegna`,
  NL: `DR Drenthe, FL Flevoland, FR Fryslân, GE Gelderland, GR Groningen, LI Limburg, NB Noord-Brabant,
    NH Noord-Holland, OV Overijssel, UT Utrecht, ZE Zeeland, ZH Zuid-Holland`,
  GB: `ENG England, NIR Northern Ireland, SCT Scotland, WLS Wales`,
} as const;

interface Region {
  /** The code of ISO 3166-2, such as US-AL. */
  readonly code: string;
  readonly fullName: string;
}

const regions: ReadonlyMap<string, Region> = new Map(
  Object.entries(table).flatMap(([country, rows]) =>
    rows.split(/,\s*/).flatMap((row) => {
      const [short = ''] = row.split(' ');
      const region = { code: `${country}-${short}`, fullName: row.slice(short.length + 1) };
      return [plain(short), plain(region.fullName)].map((name) => [`${country} ${name}`, region] as const);
    }),
  ),
);

/** A region by its code, with or without country in front, or by its name. */
export function regionOf(text: string, country: string): Region | undefined {
  const [, prefix, short] = /^([A-Za-z]{2})-([A-Za-z\d]{1,3})$/.exec(text.trim()) ?? [];
  const alpha2 = countryOf(prefix ?? country)?.alpha2;
  if (alpha2 === undefined) return undefined;
  const known = regions.get(`${alpha2} ${plain(short ?? text)}`);
  if (known || Object.hasOwn(table, alpha2)) return known;
  const code = (short ?? text).trim().toUpperCase();
  return /^[A-Z\d]{1,3}$/.test(code) ? { code: `${alpha2}-${code}`, fullName: text } : undefined;
}
