import { may } from './permissions.ts';
import type { GuildState, Json } from './state.ts';
import { wireChannel, wireMember, wireRole, wireThread } from './wire.ts';
import type { DiscordWorld } from './world.ts';

/** A guild as the gateway tells it: with those channels that the bot sees. */
export function wireGuildCreate(world: DiscordWorld, guild: GuildState): Json {
  const { state } = world;
  const channels = [...state.channels.values()].filter(({ guildId }) => guildId === guild.id);
  const seen = channels.filter((channel) => may(state, channel, state.botId, 'ViewChannel'));
  return {
    ...wireGuild(guild),
    joined_at: '2026-01-01T00:00:00.000000+00:00',
    large: false,
    unavailable: false,
    member_count: guild.members.size,
    members: [wireMember(guild, state.users.get(state.botId) ?? null, state.botId)],
    channels: seen.filter(({ kind }) => kind !== 'thread').map((channel) => wireChannel(world, channel)),
    threads: seen.filter(({ kind, archived }) => kind === 'thread' && !archived).map((one) => wireThread(world, one)),
    voice_states: [],
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

export function wireGuild(guild: GuildState): Json {
  const none = ['icon', 'description', 'home_header', 'splash', 'discovery_splash', 'banner', 'application_id'];
  const channels = [
    'afk_channel_id',
    'system_channel_id',
    'widget_channel_id',
    'rules_channel_id',
    'public_updates_channel_id',
  ];
  const others = ['safety_alerts_channel_id', 'vanity_url_code', 'max_presences', 'incidents_data'];
  return {
    ...Object.fromEntries([...none, ...channels, ...others].map((name) => [name, null])),
    id: guild.id,
    name: guild.name,
    owner_id: guild.ownerId,
    features: [],
    region: 'deprecated',
    afk_timeout: 300,
    system_channel_flags: 0,
    widget_enabled: false,
    verification_level: 0,
    roles: [...guild.roles.values()].map(wireRole),
    default_message_notifications: 1,
    mfa_level: 0,
    explicit_content_filter: 0,
    max_members: 500_000,
    max_stage_video_channel_users: 50,
    max_video_channel_users: 25,
    premium_tier: guild.premiumTier,
    premium_subscription_count: 0,
    preferred_locale: 'en-US',
    premium_progress_bar_enabled: false,
    nsfw: false,
    nsfw_level: 0,
    emojis: [],
    stickers: [],
  };
}
