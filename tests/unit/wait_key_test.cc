// The keys of wait sites, and those of locks.
#include "instrument/contract/wait_key.h"

#include <gtest/gtest.h>

#include <set>

#include "instrument/contract/record_contract.h"

namespace tailback::contract {
namespace {

constexpr uint64_t kAddress = 0x7fff'dead'beef;

TEST(WaitKey, EachKind_IsOneKind) {
  const uint64_t by_site = call_site_key(kAddress);
  const uint64_t by_read = read_key(7, kAddress);
  const uint64_t by_descriptor = descriptor_key(7, 3);
  const uint64_t by_instance = instance_key(kAddress, 3);
  for (const uint64_t key : {by_site, by_read, kMarkedWaitKey, kMarkedLoopKey}) {
    EXPECT_TRUE(is_call_site_key(key)) << key;
    EXPECT_FALSE(is_descriptor_key(key) || is_instance_key(key)) << key;
  }
  EXPECT_TRUE(is_descriptor_key(by_descriptor));
  EXPECT_FALSE(is_call_site_key(by_descriptor) || is_instance_key(by_descriptor));
  EXPECT_TRUE(is_instance_key(by_instance));
  EXPECT_FALSE(is_call_site_key(by_instance) || is_descriptor_key(by_instance));
  EXPECT_FALSE(is_call_site_key(0) || is_descriptor_key(0) || is_instance_key(0));
}

TEST(WaitKey, Descriptor_IsReadBack) {
  for (const int fd : {0, 1, 7, 1023, 0x7fffffff}) {
    EXPECT_EQ(descriptor_of_key(descriptor_key(fd, 5)), fd);
  }
  EXPECT_EQ(descriptor_of_key(descriptor_key(-1, 5)), -1);
  for (const int fd : {0, 1, 7, 1023, 0x7fff}) {
    EXPECT_EQ(read_descriptor_of_key(read_key(fd, kAddress)), fd);
  }
}

TEST(WaitKey, OtherGeneration_IsAnotherKeyOfTheSamePlace) {
  EXPECT_NE(descriptor_key(7, 1), descriptor_key(7, 2));
  EXPECT_EQ(place_of_key(descriptor_key(7, 1)), place_of_key(descriptor_key(7, 2)));
  EXPECT_NE(place_of_key(descriptor_key(7, 1)), place_of_key(descriptor_key(8, 1)));
  EXPECT_NE(instance_key(kAddress, 1), instance_key(kAddress, 2));
  EXPECT_EQ(place_of_key(instance_key(kAddress, 1)), place_of_key(instance_key(kAddress, 2)));
  EXPECT_NE(place_of_key(instance_key(kAddress, 1)), place_of_key(instance_key(kAddress + 8, 1)));
}

TEST(WaitKey, GreatestGenerations_StayWithinTheirBits) {
  const uint64_t by_descriptor = descriptor_key(7, UINT64_MAX);
  EXPECT_TRUE(is_descriptor_key(by_descriptor));
  EXPECT_EQ(descriptor_of_key(by_descriptor), 7);
  const uint64_t by_instance = instance_key(kAddress, UINT64_MAX);
  EXPECT_TRUE(is_instance_key(by_instance));
  EXPECT_EQ(by_instance & kAddressMask, kAddress);
}

TEST(WaitKey, CallSites_AreTheirOwnPlaces) {
  EXPECT_EQ(place_of_key(call_site_key(kAddress)), call_site_key(kAddress));
  EXPECT_EQ(place_of_key(read_key(7, kAddress)), read_key(7, kAddress));
  const std::set<uint64_t> keys = {
      call_site_key(kAddress), read_key(7, kAddress), read_key(8, kAddress), descriptor_key(7, 0),
      instance_key(7, 0),      kMarkedWaitKey,        kMarkedLoopKey};
  EXPECT_EQ(keys.size(), 7u);
}

TEST(LockKey, AddressRoundTrip_ProcessesDiffer) {
  EXPECT_EQ(address_of_lock_key(lock_key(3, kAddress)), kAddress);
  EXPECT_EQ(address_of_lock_key(lock_key(kProcessCapacity - 1, kAddress)), kAddress);
  EXPECT_NE(lock_key(3, kAddress), lock_key(4, kAddress));
}

}  // namespace
}  // namespace tailback::contract
