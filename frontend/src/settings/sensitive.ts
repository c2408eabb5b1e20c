// The labels of “Hide sensitive labels”. They describe private attributes of people, or are often wrong.
//
// Age, gender, religion, health, politics and sexuality follow the special categories of personal data in Article 9(1) of
// the GDPR (https://eur-lex.europa.eu/eli/reg/2016/679/oj), with age and gender added: Amazon advises against decisions
// that rely on predictions of gender (https://docs.aws.amazon.com/rekognition/latest/dg/labels.html, where the list of all
// labels can be downloaded). Weapons are added because they alarm people. The names are those of version 3.0 of that list and of the
// local model (crates/label-model/data/labels.toml). Nun, Synagogue and Worship are in neither: they are kept for pictures that
// an older model has labeled. A name that no picture has changes nothing.
//
// Racial or ethnic origin, which Article 9(1) names too, has no group, because we know of no label for it. Rekognition's analysis
// of faces, which this product does not use, returns age and gender, but no origin
// (https://docs.aws.amazon.com/rekognition/latest/APIReference/API_FaceDetail.html). Openverse, which excludes labels about age,
// gender, sexual orientation, nationality and race, calls the list of labels “already fairly demographically neutral”
// (https://docs.openverse.org/projects/proposals/rekognition_data/20240320-project_proposal_rekognition_data.html). A person
// can hide any other label.

export interface SensitiveGroup {
  readonly name: 'age' | 'gender' | 'religion' | 'health' | 'politics' | 'sexuality' | 'weapons';
  readonly labels: readonly string[];
}

/** Fewer names than the API's limit for hidden labels, so that there is room for others. */
export const SENSITIVE: readonly SensitiveGroup[] = [
  {
    name: 'age',
    labels: [
      'Adult',
      'Baby',
      'Baby Crawling',
      'Baby Laughing',
      'Boy',
      'Child',
      'Girl',
      'Newborn',
      'Senior Citizen',
      'Teen',
    ],
  },
  { name: 'gender', labels: ['Female', 'Lady', 'Male', 'Man', 'Woman'] },
  {
    name: 'religion',
    labels: [
      'Abaya',
      'Altar',
      'Bishop',
      'Cathedral',
      'Chapel',
      'Church',
      'Crucifix',
      'Hanukkah Menorah',
      'Monastery',
      'Monk',
      'Mosque',
      'Nun',
      'Pope',
      'Prayer',
      'Prayer Beads',
      'Priest',
      'Shrine',
      'Stupa',
      'Synagogue',
      'Temple',
      'Worship',
    ],
  },
  {
    name: 'health',
    labels: [
      'Bandage',
      'Childbirth',
      'Clinic',
      'Crutch',
      'Ct Scan',
      'Hospital',
      'Injection',
      'Injury',
      'Medical Procedure',
      'Medication',
      'Neck Brace',
      'Oxygen Mask',
      'Patient',
      'Pill',
      'Stretcher',
      'Syringe',
      'Therapy',
      'Ultrasound',
      'Wheelchair',
      'X-Ray',
    ],
  },
  { name: 'politics', labels: ['Picket', 'Protest'] },
  { name: 'sexuality', labels: ['Bra', 'Lingerie', 'Panties', 'Pride Parade', 'Thong', 'Underwear'] },
  {
    name: 'weapons',
    labels: [
      'Ammunition',
      'Assault Rifle',
      'Bomb',
      'Firearm',
      'Grenade',
      'Gun',
      'Handgun',
      'Machine Gun',
      'Revolver',
      'Rifle',
      'Shotgun',
      'Weapon',
    ],
  },
];

export const SENSITIVE_NAMES: readonly string[] = SENSITIVE.flatMap(({ labels }) => labels);
