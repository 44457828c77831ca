/* What is read, by libav's names; services/README.md says why. A name more is code more that
 * hostile bytes reach. */
#ifndef TONEARM_WORKER_WHITELIST_H
#define TONEARM_WORKER_WHITELIST_H

/* Left out: everything that names other files or addresses (hls, dash, concat, sdp, image2, ...),
 * devices, games, and formats that hold no sound. The second line is of single tracks, as they are
 * cut out of films (ac3, eac3, dts, loas) or kept by those who collect music (wv, tta, ape,
 * dsf): libav's demuxers of them read one file, open none, and are small. */
#define WHITELIST_CONTAINERS                                                                       \
	"mov,matroska,avi,mpegts,mpeg,flv,asf,mp3,ogg,wav,w64,flac,aac,aiff,caf,amr,au,"           \
	"ac3,eac3,dts,loas,wv,tta,ape,dsf"

/* Decoders. Left out: the fixed-point and library twins of these, and what none of the containers
 * above carries outside a museum; of DSD, what is not planar, since DSF is. als: of MPEG-4. */
#define WHITELIST_DECODERS                                                                         \
	"aac,aac_latm,mp3float,mp3,mp2float,mp2,mp1,ac3,eac3,dca,truehd,mlp,"                      \
	"opus,vorbis,speex,flac,alac,wavpack,tta,ape,als,wmav1,wmav2,wmapro,wmalossless,"          \
	"wmavoice,"                                                                                \
	"amrnb,amrwb,gsm,gsm_ms,g722,nellymoser,"                                                  \
	"adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,adpcm_swf,adpcm_yamaha,"                              \
	"pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"               \
	"pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw,pcm_dvd,pcm_bluray,s302m,"     \
	"dsd_lsbf_planar,dsd_msbf_planar"

#endif
