/* A counter that no lock protects. */
#ifndef COUNTING_H
#define COUNTING_H

#ifdef __cplusplus
extern "C" {
#endif

void count(void);

#ifdef __cplusplus
}
#endif

#endif
