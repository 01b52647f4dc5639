/** What the app asks for when it is installed. The same as in `manifest.yaml`, which says what each is for; a test compares. */
export const botScopes: readonly string[] = [
  'app_mentions:read',
  'assistant:write',
  'channels:history',
  'groups:history',
  'im:history',
  'mpim:history',
  'chat:write',
  'commands',
  'files:read',
  'files:write',
  'usergroups:read',
  'users:read',
];
