/** What the app asks for when it is installed. The same as in `manifest.yaml`, which says what each is for; a test compares. */
export const botScopes: readonly string[] = [
  'app_mentions:read',
  'channels:history',
  'groups:history',
  'im:history',
  'mpim:history',
  'chat:write',
  'files:read',
  'files:write',
  'users:read',
];

/** Asked for besides where the settings name user groups. */
export const userGroupScope = 'usergroups:read';
